"""What strangers may write into names is shown as text on every page, and runs nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings

from consortium.accounts.models import Bank
from tests.isolation import world
from tests.isolation.asking import LETTERS, Asking, content
from tests.isolation.authorisation import RULES, Rule

pytestmark = pytest.mark.django_db
HOSTILE = '"><img src=x onerror=alert(1)>'
RAW, INERT = "<img src=x", "&lt;img src=x"
PAGES = [
    rule
    for rule in RULES
    if rule.method == "GET" and rule.place in {"bank", "centre"} and not rule.is_api
]


@pytest.fixture(scope="module")
def asking(
    django_db_setup: None,
    django_db_blocker: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Asking]:
    folder = tmp_path_factory.mktemp("hostile")
    own = {"DATA_DIR": folder, "COORDINATOR_URL": "http://127.0.0.1:9", "ALLOW_SMALL_KEYS": True}
    with django_db_blocker.unblock(), override_settings(**own), transaction.atomic():
        built = world.build(folder, home_word=HOSTILE)
        Bank.objects.exclude(slug=world.OTHER).update(name=HOSTILE, name_ja=HOSTILE)
        yield Asking(built)
        transaction.set_rollback(True)


@pytest.mark.parametrize("rule", PAGES, ids=str)
def test_markup_in_a_name_is_text(asking: Asking, rule: Rule) -> None:
    assert RAW not in shown(asking, rule)


def test_the_pages_do_show_those_names(asking: Asking) -> None:
    """Else the test above would hold for empty pages."""
    silent = [rule.route for rule in PAGES if INERT not in shown(asking, rule)]
    assert len(silent) < len(PAGES) / 2, silent


def shown(asking: Asking, rule: Rule) -> str:
    """The page, as one whom the table lets in sees it; nothing for a file."""
    centre = rule.place == "centre"
    who = "operator" if centre else f"home {LETTERS[rule.letters[0]]}"
    names = {**asking.world.home.names, **(asking.world.centre.names if centre else {})}
    answer = asking(who, rule, names, query={"saved": HOSTILE, "counterparty": HOSTILE})
    return content(answer) if answer["Content-Type"].startswith("text/html") else ""
