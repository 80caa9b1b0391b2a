"""A month's figures are counted from its rows; what nobody measured is not a number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from banks.models import Alert, BankSettings, ModelVersion, Transaction
from banks.selectors.monthly import month_of
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def alerts(bank: Bank, *wanted: tuple[str, bool], hours: float = 2.0) -> None:
    """Alerts of now: (disposition or "" for open, whether drawn from below the threshold)."""
    with bank_scope(bank.pk):
        BankSettings.objects.get_or_create(bank=bank, defaults={"zone": "UTC"})
        version = ModelVersion.objects.create(
            bank=bank, number=1, origin="alone", family="mlp", artifact=b""
        )
        for number, (disposition, sample) in enumerate(wanted):
            paid = Transaction.objects.create(
                bank=bank, external_id=f"t{number}", time=NOW, amount=1000
            )
            decided = {
                "status": "decided",
                "disposition": disposition,
                "reason_code": "phishing",
                "decided_at": NOW + timedelta(hours=hours),
            }
            Alert.objects.create(
                bank=bank,
                transaction=paid,
                version=version,
                probability=0.5,
                threshold=0.4,
                sample=sample,
                sampling_share=0.01 if sample else None,
                created_at=NOW,
                **(decided if disposition else {}),
            )


def test_precision_counts_decided_alerts_and_recall_the_drawn_ones(bank: Bank) -> None:
    alerts(
        bank,
        *[("fraud", False)] * 3,
        ("genuine", False),
        ("cannot_tell", False),
        ("", False),
        *[("genuine", True)] * 9,
        ("fraud", True),
    )
    with bank_scope(bank.pk):
        found = month_of(bank)
        assert found is not None
        assert (found.counts["raised"], found.counts["decided"]) == (6, 5)
        assert (found.precision.part, found.precision.whole) == (3, 4)
        assert found.recall.value == pytest.approx(3 / (3 + 100))
        interval = found.recall.interval
        assert interval is not None
        assert interval.low < 3 / 103 < interval.high
        assert found.saved == 1500
        assert found.in_time.value == 1.0


def test_what_was_not_measured_is_said_and_not_zero(
    bank: Bank, sign_in: Callable[[str], Client]
) -> None:
    alerts(bank, ("", False))
    client, address = sign_in("sora"), reverse("banks:month", args=[bank.slug])
    page = client.get(address).content.decode()
    assert page.count("not measured yet") == 6
    with bank_scope(bank.pk):
        found = month_of(bank)
        assert found is not None
        assert (found.precision.value, found.recall.value, found.saved) == (None, None, None)
    assert client.get(address, {"month": "2026-13"}).status_code == 404
    assert client.get(address, {"month": "2001-02"}).status_code == 200


def test_the_month_is_a_file_too_and_that_is_written_down(
    bank: Bank, sign_in: Callable[[str], Client]
) -> None:
    alerts(bank, ("fraud", False))
    answer = sign_in("ren").get(reverse("banks:export-month", args=[bank.slug]))
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("figure,value,low_95")
    assert any(line.startswith("alerts_fraud,1,") for line in lines)
    assert any(line.startswith("recall_estimate,,,,0") for line in lines)
    assert AuditEntry.objects.filter(bank=bank, verb="table.exported").exists()
