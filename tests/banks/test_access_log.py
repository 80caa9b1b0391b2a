"""Who in this bank viewed or exported what: written with the answer, read by few."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.urls import get_resolver, reverse

from banks.models import AccessEntry, Transaction
from banks.services import access_log
from consortium.accounts.models import AuditEntry
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.architecture.test_addresses import addresses

pytestmark = pytest.mark.django_db
LOG = reverse("banks:access-log", args=["sakura"])


@pytest.fixture
def payment() -> Transaction:
    bank = make.bank()
    with bank_scope(bank.pk):
        return Transaction.objects.create(
            bank=bank, external_id="p-1", time="2026-11-01T00:00:00Z", account="a", amount=100
        )


def entries() -> list[tuple[str, str, str, bool]]:
    with bank_scope(make.bank().pk):
        found = AccessEntry.objects.order_by("pk")
        return list(found.values_list("actor", "what", "target", "by_program"))


def test_a_look_is_written_down_by_page_and_by_program(sign_in, program, payment):
    analyst = sign_in("aiko")
    analyst.get(reverse("banks:transaction", args=["sakura", payment.pk]))
    analyst.get(reverse("banks:transactions", args=["sakura"]))  # the empty form shows nobody
    analyst.get(reverse("banks:transactions", args=["sakura"]), {"id": "p-1"})
    program("ren", "read").get(f"/api/v1/banks/sakura/transactions/{payment.pk}")
    assert entries() == [
        ("Aiko Mori", "transaction", str(payment.pk), False),
        ("Aiko Mori", "search", "", False),
        ("Ren Sato", "transaction", str(payment.pk), True),
    ]


def test_what_was_refused_is_no_look(sign_in, payment):
    sign_in("haru").get(reverse("banks:transaction", args=["sakura", payment.pk]))
    sign_in("aiko").get(reverse("banks:transaction", args=["sakura", payment.pk + 1]))
    sign_in("kenta").get(reverse("banks:transaction", args=["sakura", payment.pk]))
    assert entries() == []


def test_what_cannot_be_written_down_is_not_shown(sign_in, payment, monkeypatch):
    def broken(**_columns: object) -> None:
        raise DatabaseError("no space")

    monkeypatch.setattr(AccessEntry.objects, "create", broken)
    client = sign_in("aiko")
    client.raise_request_exception = False
    answer = client.get(reverse("banks:transaction", args=["sakura", payment.pk]))
    assert answer.status_code == 500
    assert b"p-1" not in answer.content


def test_looks_and_exports_are_one_list_that_can_be_filtered(sign_in, payment):
    sign_in("aiko").get(reverse("banks:transaction", args=["sakura", payment.pk]))
    sign_in("haru").post(reverse("banks:export-ledger", args=["sakura"]))
    admin = sign_in("haru")
    both = admin.get(LOG).content.decode()
    assert "a payment" in both
    assert "ledger of what left exported" in both
    only = admin.get(LOG, {"act": "exported"}).content.decode()
    assert "a payment</td>" not in only
    aiko = admin.get(LOG, {"who": "aiko"}).content.decode()
    assert "ledger of what left exported" not in aiko
    assert admin.get(LOG, {"days": "5000"}).status_code == 422


def test_older_looks_follow_page_by_page(sign_in, program):
    bank = make.bank()
    with bank_scope(bank.pk):
        for n in range(60):
            AccessEntry.objects.create(bank=bank, actor="Aiko", what="alert", target=f"no-{n}")
    reader = program("haru", "read")
    there = "/api/v1/banks/sakura/access-log"
    first = reader.get(there).json()
    second = reader.get(there, {"before": first["next_before"]}).json()
    seen = [one["target"] for one in first["looks"] + second["looks"]]
    assert seen == [f"no-{n}" for n in reversed(range(60))]
    assert second["next_before"] is None


def test_taking_the_log_along_is_in_the_trail(sign_in, payment):
    sign_in("aiko").get(reverse("banks:transaction", args=["sakura", payment.pk]))
    file = sign_in("sora").get(reverse("banks:export-access", args=["sakura"]), {"days": 7})
    assert "Aiko Mori" in file.content.decode("utf-8-sig")
    assert AuditEntry.objects.get(verb="access.exported").facts == {"days": 7}


def test_analysts_do_not_read_who_looked(sign_in):
    assert sign_in("aiko").get(LOG).status_code == 403


def test_every_address_in_the_table_exists():
    below = {
        access_log._PLACE.sub("", route).rstrip("/") for route, _view in addresses(get_resolver())
    }
    assert set(access_log.SHOWS) <= below
