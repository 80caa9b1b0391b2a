"""A bank whose days have been counted, without the training that would take."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.utils import timezone

from banks.ml.arrival import LONGEST
from banks.ml.evaluation import GRID
from banks.models import (
    BankSettings,
    ModelVersion,
    MonitorDay,
    MonitorReference,
    RetrainingProposal,
    Threshold,
)
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

TENTHS = [220] * 10


def with_monitor(bank: Bank, *, drifts: bool = True, days_ago: int = 1) -> RetrainingProposal:
    """Fourteen counted days up to ``days_ago``; the last seven drift if asked. One proposal."""
    now = timezone.now()
    with bank_scope(bank.pk):
        version = ModelVersion.objects.create(
            bank=bank,
            number=1,
            origin="alone",
            family="logistic",
            status="published",
            artifact=b"",
            artifact_sha256="",
        )
        Threshold.objects.create(bank=bank, version=version, value=0.5, method="best_f1")
        BankSettings.objects.update_or_create(
            bank=bank, defaults={"zone": "UTC", "scoring_version": version}
        )
        reference = MonitorReference.objects.create(
            bank=bank,
            version=version,
            window_from=now - timedelta(days=60),
            window_until=now - timedelta(days=50),
            payments=22_000,
            rows=2200,
            edges={name: list(range(9)) for name in ("amount", "account_count_7d")},
            counts={"amount": [*TENTHS, 0], "account_count_7d": [*TENTHS, 0]},
            scores=_scores(-6.0, 2200),
            channels={"card": 1500, "web": 700},
            blanks={"account": 0, "channel": 20, "counterparty": 0},
            volumes=[2100, 2300, 2200],
            lags=[0, 900, 400, 200, 100, 50, 50, *[0] * (LONGEST - 6)],
            lag_payments=2200,
            seen_until=now,
            checked_at=now,
        )
        for back in range(14):
            late = drifts and back < 7
            MonitorDay.objects.create(
                bank=bank,
                reference=reference,
                day=(now - timedelta(days=back + days_ago)).date(),
                payments=2150 + 20 * back,
                rows=2200,
                counts={
                    "amount": [*[60] * 5, *[380] * 5, 0] if late else [*TENTHS, 0],
                    "account_count_7d": [*TENTHS, 0],
                },
                scores=_scores(-4.5 if late else -6.0, 2200),
                channels={"card": 1500, "web": 600, **({"app": 100} if late else {})},
                blanks={"account": 0, "channel": 900 if late else 20, "counterparty": 0},
                lags=[0, 500, 300, *[0] * (LONGEST - 2)],
                labelled=800,
            )
        return RetrainingProposal.objects.create(
            bank=bank,
            version=version,
            reasons=[
                {"what": "score", "psi": 0.41, "low": 0.35, "high": 0.49, "rows": 15_400},
                {"what": "alerts", "usual": 0.004, "now": 0.031, "rows": 15_400},
                {
                    "what": "feature",
                    "name": "amount",
                    "psi": 0.62,
                    "low": 0.6,
                    "high": 0.64,
                    "rows": 15_400,
                },
            ],
        )


def _scores(middle: float, rows: int) -> list[int]:
    logits = np.random.default_rng(3).normal(middle, 2.0, rows)
    return [int(n) for n in np.bincount(GRID.bin_of(logits), minlength=GRID.bins)]
