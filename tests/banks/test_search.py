"""One word looked for everywhere: exact first, by index, only what the reader may see."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from banks.models import Transaction
from banks.selectors import search as selectors
from banks.services import cases
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def _filled(bank: Bank, analyst: Actor) -> None:
    with bank_scope(bank.pk):
        alert = an_alert(bank, 1)
        for number in (2, 10, 11):
            an_alert(bank, number)
    cases.open_case(bank=bank, actor=analyst, alert_ids=[alert.pk])


def found(bank: Bank, who: str, q: str) -> dict[str, list[str]]:
    with bank_scope(bank.pk):
        groups = selectors.search(make.membership(who), q)
        return {group.kind: [name(one) for one in group.found] for group in groups}


def name(one: object) -> str:
    return one.transaction.external_id if hasattr(one, "transaction") else str(one)


@pytest.mark.usefixtures("_filled")
def test_the_exact_name_comes_before_what_begins_with_it(bank: Bank) -> None:
    assert found(bank, "aiko", "t-1") == {
        "alerts": ["t-1", "t-10", "t-11"],
        "transactions": ["t-1", "t-10", "t-11"],
    }
    assert found(bank, "aiko", "acc") == {"cases": ["C-1"], "accounts": ["acc-1"]}
    assert set(found(bank, "aiko", "C-1")) == {"cases"}
    assert found(bank, "aiko", "shop-1")["counterparties"] == ["shop-1"]


@pytest.mark.usefixtures("_filled")
def test_each_sees_the_kinds_that_their_role_reads(bank: Bank) -> None:
    assert set(found(bank, "yui", "t-1")) == {"alerts"}
    browser = Client()
    browser.force_login(make.person("haru"))
    assert browser.get("/bank/sakura/search/?q=t-1").status_code == 403


@pytest.mark.usefixtures("_filled")
def test_another_bank_s_names_are_not_there(other_bank: Bank) -> None:
    assert found(other_bank, "kenta", "t-1") == {}


@pytest.mark.usefixtures("_filled")
@pytest.mark.parametrize("q", ["", "t", "nowhere", "%", "t_1", "'; --", "２２", "\U0010ffff" * 3])
def test_a_word_that_finds_nothing_says_what_to_do(bank: Bank, q: str) -> None:
    browser = Client()
    browser.force_login(make.person("aiko"))
    answer = browser.get("/bank/sakura/search/", {"q": q})
    assert answer.status_code == 200
    assert answer.context["groups"] == []
    assert "empty-title" in answer.content.decode()


def test_a_beginning_is_found_by_index_under_row_level_security(bank: Bank) -> None:
    with bank_scope(bank.pk), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for column in ("external_id", "account", "counterparty"):
            rows = Transaction.objects.filter(selectors._begins(column, "t-1"), bank=bank)
            plan = rows.order_by(column).explain()
            assert "Index Cond" in plan
            assert f"{column} >= 't-1'" in plan.replace("(", "").replace(")::text", "")
