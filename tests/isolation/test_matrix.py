"""Every address × everybody × own, foreign and missing things: no wall has a hole.

The oracles know nothing of what a page does: another bank's canary is never seen, its rows are
never touched (PostgreSQL itself would break the request), its things are like things that do not
exist, nobody passes whom the table does not name, nothing breaks.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InternalError, transaction
from django.urls import get_resolver

from banks.models import Alert
from consortium.accounts.models import Membership
from consortium.accounts.tenancy import bank_scope
from tests.architecture.test_addresses import addresses
from tests.isolation.asking import ANONYMOUS, LETTERS, Asking, alike, content
from tests.isolation.authorisation import RULES, Rule
from tests.isolation.world import missing

pytestmark = pytest.mark.django_db
BANK = [rule for rule in RULES if rule.place == "bank"]
CENTRE = [rule for rule in RULES if rule.place == "centre"]
NODE = [rule for rule in RULES if rule.place == "node"]
OPEN = [rule for rule in RULES if rule.place == "open"]
SAFE = "GET"
each_bank_rule = pytest.mark.parametrize("rule", BANK, ids=str)
each_centre_rule = pytest.mark.parametrize("rule", CENTRE, ids=str)


def test_no_address_is_left_out() -> None:
    """An address that is not in the table is not exercised below: write down who may use it."""
    known = {rule.route for rule in RULES}
    there = {route for route, _view in addresses(get_resolver())}
    assert there - known == set(), "not in tests/isolation/authorisation.py"
    assert known - there == set(), "in the table, but gone"


def allowed(answer: Any) -> bool:
    asks_to_sign_in = answer.headers.get("Location", "").startswith("/accounts/login/")
    return answer.status_code not in {401, 403, 404} and not asks_to_sign_in


def test_the_guard_on_another_bank_s_rows_cries(asking: Asking) -> None:
    bank = asking.world.other["bank_id"]
    with pytest.raises(InternalError, match="a row of another bank"), bank_scope(bank):
        Alert.objects.update(note="changed")
    with pytest.raises(InternalError, match="a row of another bank"), transaction.atomic():
        Membership.objects.filter(bank=bank).delete()


def told_to_sign_in(rule: Rule, answer: Any) -> bool:
    if rule.is_api:
        return answer.status_code == 401
    return answer.headers.get("Location", "").startswith("/accounts/login/?next=")


def stuffed(names: dict[str, str]) -> dict[str, Any]:
    """A body that names things wherever a careless view might believe it."""
    return {
        **names,
        "bank": names.get("bank_id", names["bank"]),
        "scoring_version": names.get("version_id", ""),
        "email": "somebody@sakura.example",
        "role": "operator",
        "is_staff": True,
        "disposition": "fraud",
        "reason_code": "phishing",
        "reason": "because",
        "text": "a comment",
        "note": "a note",
        "value": 1,
        "compared": "yes",
    }


def asked_for(names: dict[str, str]) -> dict[str, str]:
    """A query that does the same."""
    return {
        **names,
        "after": names["alert_id"],
        "before": names["transaction_id"],
        "cell": "tp",
        "cut": "7",
        "decided": names["alert_id"],
        "done": names["bulk_id"],
        "id": names["transaction_id"],
        "version": names["number"],
    }


class TestABank:
    """/bank/… and /api/v1/banks/…"""

    @each_bank_rule
    def test_its_people_do_what_the_table_names(self, asking: Asking, rule: Rule) -> None:
        home = asking.world.home.names
        for letter, role in LETTERS.items():
            with asking.undone():
                answer = asking(f"home {role}", rule, home, body=stuffed(home))
                if letter in rule.letters:
                    assert allowed(answer), f"{role}: {answer.status_code}"
                else:
                    assert answer.status_code == 403, role

    @each_bank_rule
    def test_it_does_not_exist_for_anybody_else(self, asking: Asking, rule: Rule) -> None:
        home, other = asking.world.home.names, asking.world.other.names
        nowhere = {**missing(), "bank": "atlantis"}
        with asking.undone():
            for role in LETTERS.values():
                theirs = asking(f"home {role}", rule, other, body=stuffed(other))
                assert theirs.status_code == 404, role
            assert asking("other bank_admin", rule, home).status_code == 404
            nothing = asking(f"home {role}", rule, nowhere, body=stuffed(other))
            assert alike(theirs, other) == alike(nothing, nowhere)
            for who in ("operator", "centre auditor"):
                assert asking(who, rule, other).status_code == 404, who
            assert told_to_sign_in(rule, asking(ANONYMOUS, rule, other))

    @pytest.mark.parametrize("rule", [rule for rule in BANK if rule.is_api], ids=str)
    def test_a_token_does_no_more_than_its_scopes(self, asking: Asking, rule: Rule) -> None:
        home = asking.world.home.names
        needed = "score" if rule.route.endswith("/score") else "read"
        needed = needed if rule.method == SAFE or needed == "score" else "write"
        for scope in ("read", "score", "write"):
            has = {"read", "write"} if scope == "write" else {scope}
            with asking.undone():
                answer = asking(f"token home {scope}", rule, home, body=stuffed(home))
                assert allowed(answer) == (needed in has and "L" in rule.letters), scope
                foreign = asking(f"token other {scope}", rule, home)
                assert foreign.status_code in {403, 404}
        centre = asking("token centre write", rule, home)
        assert centre.status_code in {403, 404}

    @pytest.mark.parametrize("rule", [rule for rule in BANK if rule.names_a_thing], ids=str)
    def test_another_bank_s_thing_is_like_a_missing_one(self, asking: Asking, rule: Rule) -> None:
        world = asking.world
        who = f"home {LETTERS[rule.letters[0]]}"
        foreign = {**world.other.names, "bank": world.home["bank"]}
        nothing = {**missing(), "bank": world.home["bank"]}
        with asking.undone():
            theirs = asking(who, rule, foreign)
        with asking.undone():
            none = asking(who, rule, nothing)
        assert alike(theirs, foreign) == alike(none, nothing)

    @each_bank_rule
    def test_another_bank_s_names_smuggled_in_tell_and_change_nothing(
        self, asking: Asking, rule: Rule
    ) -> None:
        """In the query, in the body, beside one's own address."""
        world = asking.world
        who, home = f"home {LETTERS[rule.letters[0]]}", world.home.names
        answers = []
        for names in (world.other.names, {**missing(), "bank": "atlantis"}):
            with asking.undone():
                answer = asking(who, rule, home, query=asked_for(names), body=stuffed(names))
                answers.append(answer.status_code)
        assert answers[0] == answers[1]


class TestTheCentre:
    """/centre/… and /api/v1/centre/…"""

    @each_centre_rule
    def test_its_people_do_what_the_table_names(self, asking: Asking, rule: Rule) -> None:
        names = {**asking.world.home.names, **asking.world.centre.names}
        for letter, who in (("O", "operator"), ("C", "centre auditor")):
            with asking.undone():
                answer = asking(who, rule, names, body=stuffed(names))
                if letter in rule.letters:
                    assert allowed(answer), f"{who}: {answer.status_code}"
                else:
                    assert answer.status_code == 403, who

    @each_centre_rule
    def test_it_does_not_exist_for_a_bank_s_people(self, asking: Asking, rule: Rule) -> None:
        names = {**asking.world.home.names, **asking.world.centre.names}
        with asking.undone():
            for role in LETTERS.values():
                assert asking(f"home {role}", rule, names).status_code == 404, role
            assert told_to_sign_in(rule, asking(ANONYMOUS, rule, names))
            if rule.is_api:
                for scope in ("read", "score", "write"):
                    refused = asking(f"token home {scope}", rule, names)
                    assert refused.status_code in {403, 404}, scope
                reading = asking("token centre read", rule, names)
                assert allowed(reading) == (rule.method == SAFE)

    @pytest.mark.parametrize("rule", [rule for rule in CENTRE if rule.names_a_thing], ids=str)
    def test_a_bank_s_thing_is_like_a_missing_one(self, asking: Asking, rule: Rule) -> None:
        """The operator does not reach a bank's people, invitations or runs by their names."""
        foreign = {**asking.world.other.names, "slug": "atlantis"}
        foreign |= {"task_id": foreign["task"], "epoch_id": foreign["epoch"]}
        foreign |= {"round_id": foreign["run_id"]}
        nothing = missing()
        answers = []
        for names in (foreign, nothing):
            with asking.undone():
                answers.append(alike(asking("operator", rule, names), names))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("rule", [rule for rule in BANK + CENTRE if rule.method != SAFE], ids=str)
def test_another_site_s_form_changes_nothing(asking: Asking, rule: Rule) -> None:
    """A session's cookie alone is no intent: the token of one's own page must come along."""
    world = asking.world
    names = {**world.home.names, **(world.centre.names if rule.place == "centre" else {})}
    who = "operator" if rule.place == "centre" else f"home {LETTERS[rule.letters[0]]}"
    with asking.undone():
        answer = asking(who, rule, names, body=stuffed(names), strict=True)
        assert answer.status_code == 403
        assert ("CSRF" if rule.is_api else "This form is out of date") in content(answer)


@pytest.mark.parametrize("rule", NODE, ids=str)
def test_a_node_s_call_needs_its_bank_s_signature(asking: Asking, rule: Rule) -> None:
    names = asking.world.centre.names
    with asking.undone():
        for who in (ANONYMOUS, "operator", "home bank_admin", "token centre write"):
            assert asking(who, rule, names).status_code == 401, who
        asking("node insider", rule, names)


@pytest.mark.parametrize("rule", [rule for rule in NODE if rule.names_a_thing], ids=str)
def test_a_task_does_not_exist_for_a_bank_outside_it(asking: Asking, rule: Rule) -> None:
    names, nothing = asking.world.centre.names, {**missing(), "run": missing()["run_id"]}
    nothing |= {"of_bank": names["of_bank"]}
    with asking.undone():
        theirs, none = (asking("node outsider", rule, found) for found in (names, nothing))
        assert alike(theirs, names) == alike(none, nothing)
        assert theirs.status_code in {404, 422}  # 422: the body is refused before its task is read


@pytest.mark.parametrize("rule", OPEN, ids=str)
def test_what_is_open_says_nothing_of_anybody(asking: Asking, rule: Rule) -> None:
    names = {**missing(), "token_id": asking.world.other["token_id"]}
    with asking.undone():
        answer = asking(ANONYMOUS, rule, names)
        assert told_to_sign_in(rule, answer) == (rule.letters == "+")
        for who in ("home analyst", "operator"):
            asked = asking(who, rule, names, body=stuffed(missing()))
            assert not told_to_sign_in(rule, asked) or rule.route.startswith("accounts/")
