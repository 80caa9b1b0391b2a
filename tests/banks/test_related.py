"""Who else paid the same counterparty."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from banks.models import Transaction
from banks.selectors.alerts.related import MOST_ACCOUNTS, related
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope


@pytest.mark.django_db
def test_a_small_payer_at_a_busy_counterparty_still_sees_itself(bank: Bank) -> None:
    at = timezone.now()
    with bank_scope(bank.pk):
        paid = [
            Transaction.objects.create(
                bank=bank,
                external_id=f"t-{number}",
                time=at - timedelta(minutes=number),
                account=f"acc-{number:02d}",
                counterparty="busy-shop",
                amount=1_000 * (number + 1),
            )
            for number in range(MOST_ACCOUNTS + 3)
        ]
        found = related(paid[0])
    assert found is not None
    assert found.accounts == MOST_ACCOUNTS + 3
    assert [payer.account for payer in found.payers if payer.own] == ["acc-00"]
    assert len(found.payers) == MOST_ACCOUNTS
