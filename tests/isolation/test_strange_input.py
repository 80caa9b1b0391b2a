"""Whatever a query or a body holds, an address answers with a refusal or not at all of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.isolation.asking import LETTERS, Asking
from tests.isolation.authorisation import RULES, Rule

pytestmark = pytest.mark.django_db
RESTRICTED = [rule for rule in RULES if rule.place in {"bank", "centre"}]
NAMES = [
    "account",
    "after",
    "age",
    "amount",
    "amount_from",
    "amount_to",
    "before",
    "channel",
    "counterparty",
    "currency",
    "cut",
    "decided",
    "done",
    "event",
    "id",
    "index",
    "label",
    "new",
    "number",
    "old",
    "only",
    "page",
    "q",
    "saved",
    "since",
    "size",
    "until",
    "version",
    "view",
    "window",
]
TEXTS = ("²", "9" * 5000, "-1", "\0", "'\"--", "１２", "[]", "NaN", "\U0010ffff", "9" * 19)
FIELDS = [
    "act",
    "admin_email",
    "alert",
    "alerts",
    "back",
    "banks",
    "compared",
    "cron",
    "definition",
    "description",
    "disposition",
    "email",
    "enabled",
    "extra",
    "file",
    "filters",
    "kind",
    "mapping",
    "minutes",
    "model",
    "name",
    "name_ja",
    "note",
    "parameters",
    "purpose",
    "reason",
    "reason_code",
    "reviews_a_day",
    "role",
    "rounds",
    "slug",
    "text",
    "transactions",
    "until",
    "value",
    "wait",
    "windows",
    "zone",
]
DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
VALUES: tuple[Any, ...] = (
    "\0",
    "²",
    "x" * 100_000,
    10**18,
    -1.5,
    True,
    None,
    [],
    [{}],
    {"a": {"b": []}},
    DEEP,
    "\ud800",
)


def someone(rule: Rule) -> str:
    """One whom the table lets in."""
    if rule.place == "centre":
        return "operator"
    return f"home {LETTERS[rule.letters[0]]}"


def names(asking: Asking, rule: Rule) -> dict[str, str]:
    world = asking.world
    return world.home.names if rule.place == "bank" else {**world.home.names, **world.centre.names}


@pytest.mark.parametrize("rule", [rule for rule in RESTRICTED if rule.method == "GET"], ids=str)
def test_a_strange_query_breaks_nothing(asking: Asking, rule: Rule) -> None:
    for text in TEXTS:
        with asking.undone():
            query = dict.fromkeys(NAMES, text)
            asking(someone(rule), rule, names(asking, rule), query=query)


@pytest.mark.parametrize("rule", [rule for rule in RESTRICTED if rule.method != "GET"], ids=str)
def test_a_strange_body_breaks_nothing(asking: Asking, rule: Rule) -> None:
    for value in VALUES:
        if not rule.is_api and not isinstance(value, str):
            continue
        if value == "\ud800" and not rule.is_api:
            continue
        with asking.undone():
            body = dict.fromkeys(FIELDS, value)
            asking(someone(rule), rule, names(asking, rule), body=body)


HOSTILE = {
    "nesting": b'{"transactions": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 400 digits": b'{"value": 1' + b"0" * 400 + b', "reason": "r"}',
    "a number of 5000 digits": b'{"value": 1' + b"0" * 5000 + b"}",
    "an infinite number": b'{"value": 1e999, "reason": "r"}',
    "NaN": b'{"value": NaN, "reason": "r"}',
    "a name twice": b'{"value": 1, "value": 0, "reason": "r"}',
    "another encoding": '{"reason": "理由"}'.encode("cp932"),
    "no JSON": b"{",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "rule", [r for r in RESTRICTED if r.is_api and r.method in {"POST", "PATCH"}], ids=str
)
def test_hostile_json_is_refused_with_a_sentence(
    asking: Asking, rule: Rule, content: bytes
) -> None:
    with asking.undone():
        answer = asking(someone(rule), rule, names(asking, rule), content=content)
        if answer.status_code == 400 and answer.json()["code"] == "parse_error":
            assert len(answer.json()["message"]) > 15
        else:
            assert answer.status_code not in {400, 500}, "accepted in part"
