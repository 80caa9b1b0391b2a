"""What a bank's people see of what was given from member to member."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from banks.models import Gift
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make

pytestmark = pytest.mark.django_db
ADDRESS = "/bank/sakura/consortium/"
FAULT = {
    "code": "wrong_gift",
    "sentence": "%(peer)s gave other bytes than the members signed.",
    "params": {"peer": "Fuji Bank"},
}


def a_gift(bank: Bank, **changes: Any) -> Gift:
    facts: dict[str, Any] = {
        "direction": "received",
        "kind": "model",
        "state": "refused",
        "task": uuid.uuid4(),
        "run": uuid.uuid4(),
        "subject": "ab" * 32,
        "peer": uuid.uuid4(),
        "peer_name": "Fuji Bank",
        "request": {},
        "request_hash": uuid.uuid4().hex * 2,
        "fault": FAULT,
    }
    with bank_scope(bank.pk):
        return Gift.objects.create(bank=bank, **{**facts, **changes})


def page(client: Client, who: str = "haru") -> str:
    client.force_login(make.person(who))
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_anything_was_given_the_page_says_what_will_be_there(
    bank: Bank, client: Client
) -> None:
    assert "Nothing given or received yet" in page(client)


def test_a_peer_that_gave_other_bytes_is_named_and_all_can_be_asked_again(
    bank: Bank, client: Client
) -> None:
    last = a_gift(bank)
    text = page(client)
    assert "Fuji Bank gave other bytes than the members signed." in text
    assert f"/consortium/gifts/{last.pk}/ask-again/" in text
    later = a_gift(bank, state="silent", peer_name="Ume Bank", fault={})
    assert f"/consortium/gifts/{last.pk}/ask-again/" not in page(client)
    assert f"/consortium/gifts/{later.pk}/ask-again/" in page(client)
    a_gift(bank, state="asked", fault={})
    assert "ask-again" not in page(client)


def test_what_was_given_stands_there_too_and_offers_no_button(bank: Bank, client: Client) -> None:
    a_gift(bank, direction="given", state="given", fault={}, size=2048)
    text = page(client)
    assert "to Fuji Bank" in text
    assert "ask-again" not in text


def test_programs_read_the_same(bank: Bank, program: Any) -> None:
    a_gift(bank)
    found = program("haru").get("/api/v1/banks/sakura/membership/gifts").json()
    assert [row["gift"]["peer_name"] for row in found] == ["Fuji Bank"]
    assert found[0]["may_ask_again"] is True
