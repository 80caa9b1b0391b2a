"""A bank's past: accounts with habits, and frauds that break them. Seeded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from banks.ml.features import FeaturePlan
from banks.models import BankSettings, ModelVersion, Transaction
from banks.services import datasets
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 110
ACCOUNTS = 40


def with_history(bank: Bank, *, rows: int = 4000, seed: int = 7, unlabelled_days: int = 0) -> None:
    """Give a bank ``rows`` transactions; one in thirty is a fraud, large and at a bad shop."""
    made = list(history(bank, rows=rows, seed=seed, unlabelled_days=unlabelled_days))
    with bank_scope(bank.pk):
        BankSettings.objects.get_or_create(bank=bank, defaults={"zone": "UTC"})
        Transaction.objects.bulk_create(made, batch_size=2000)


def recipe_of(bank: Bank) -> datasets.Recipe:
    """How the bank's first version was made."""
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get(number=1)
    plan = FeaturePlan.from_json(version.feature_plan)
    return datasets.recipe_for(bank, plan=plan)


def history(bank: Bank, *, rows: int, seed: int, unlabelled_days: int) -> list[Transaction]:
    random = np.random.default_rng(seed)
    seconds = np.sort(random.integers(0, DAYS * 86400, rows))
    account = random.integers(0, ACCOUNTS, rows)
    usual = random.lognormal(8.0, 0.4, ACCOUNTS)
    fraud = random.random(rows) < 1 / 30
    amount = usual[account] * random.lognormal(0, 0.25, rows) * np.where(fraud, 5, 1)
    shop = np.where(fraud & (random.random(rows) < 0.7), 99, random.integers(0, 30, rows))
    open_from = (DAYS - unlabelled_days) * 86400
    return [
        Transaction(
            bank=bank,
            external_id=f"{bank.slug}-{row:06d}",
            time=START + timedelta(seconds=int(seconds[row])),
            account=f"acc-{account[row]:03d}",
            counterparty=f"shop-{shop[row]:02d}",
            amount=int(amount[row]),
            channel="card" if row % 3 else "web",
            label=None if seconds[row] >= open_from else int(fraud[row]),
        )
        for row in range(rows)
    ]
