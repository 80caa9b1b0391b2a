"""No page asks the database many questions, whoever of its readers opens it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.isolation.asking import LETTERS, Asking
from tests.isolation.authorisation import RULES, Rule

pytestmark = pytest.mark.django_db
MOST = 25
PAGES = [
    rule
    for rule in RULES
    if rule.place in {"bank", "centre"} and rule.method == "GET" and not rule.is_api
]


def readers(rule: Rule) -> list[str]:
    people = {letter: f"home {role}" for letter, role in LETTERS.items()}
    if rule.place == "centre":
        people = {"O": "operator", "C": "centre auditor"}
    return [who for letter, who in people.items() if letter in rule.letters]


@pytest.mark.parametrize("rule", PAGES, ids=str)
def test_a_page_asks_the_database_at_most_25_times(asking: Asking, rule: Rule) -> None:
    names = asking.world.home.names if rule.place == "bank" else asking.world.centre.names
    for who in readers(rule):
        with asking.undone(), CaptureQueriesContext(connection) as asked:
            answer = asking(who, rule, names)
        assert len(asked) <= MOST, f"{who}: {[one['sql'][:120] for one in asked]}"
        assert answer.status_code not in {403, 404}
