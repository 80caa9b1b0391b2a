"""Scoring what files brought: the rows whose label nobody knows yet, once for each import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils import timezone

from banks.ml.features.plan import FeaturePlan, feature_names
from banks.models import (
    Alert,
    AlertEvent,
    BankSettings,
    Import,
    ImportStatus,
    Score,
    Transaction,
)
from banks.services import datasets, first_stages
from banks.services.scoring import Bench, Matrix, bench_of, raise_alerts
from banks.services.signal import joint
from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import analyze, bank_scope

ROWS_AT_ONCE: Final = 20_000


def waiting_imports(bank: Bank) -> list[uuid.UUID]:
    """Imports whose open rows nobody has scored, while there is a version to score with."""
    with bank_scope(bank.pk):
        if not BankSettings.objects.filter(bank=bank, scoring_version__isnull=False).exists():
            return []
        return list(
            Import.objects.filter(status=ImportStatus.DONE, scored_at__isnull=True)
            .order_by("created_at")
            .values_list("pk", flat=True)
        )


def score_waiting(*, bank: Bank) -> int:
    """Score the open rows of all imports that wait; returns the number of alerts raised."""
    return sum(score_import(bank=bank, import_id=import_id) for import_id in waiting_imports(bank))


def score_import(*, bank: Bank, import_id: uuid.UUID) -> int:
    """Score an import's unlabelled rows with the version in use; once, whoever calls.

    An alert asks whether a transaction was fraud; where the answer is known nothing is asked.
    """
    with bank_scope(bank.pk):
        bench = bench_of(bank)
        open_rows = Transaction.objects.filter(
            source_id=import_id, label__isnull=True, scores__isnull=True
        )
        wanted = set(open_rows.values_list("pk", flat=True)) if bench else set()
        plans = {judge.plan for judge in bench.judges} if bench else set()
    matrices = list(_matrices(bank, plans, wanted)) if wanted else []
    with bank_scope(bank.pk):
        mine = (
            Import.objects.select_for_update()
            .filter(pk=import_id, status=ImportStatus.DONE, scored_at__isnull=True)
            .first()
        )
        if mine is None or bench is None:
            return 0
        alerts = sum(_score(bench, part) for part in matrices)
        Import.objects.filter(pk=mine.pk).update(scored_at=timezone.now())
        audit.record(
            actor=system("scoring", bank=bank),
            verb="import.scored",
            target=mine,
            bank=bank,
            rows=len(wanted),
            alerts=alerts,
        )
    analyze(Alert, AlertEvent, Score)
    return alerts


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows' keys, and their features under each plan that a version on the bench needs."""

    keys: list[int]
    by_plan: dict[FeaturePlan, Matrix]


def _score(bench: Bench, piece: Piece) -> int:
    rows = Transaction.objects.in_bulk(piece.keys)
    ordered = [rows[key] for key in piece.keys]
    _, alerts = raise_alerts(bench, ordered, piece.by_plan.__getitem__)
    return sum(not alert.sample for alert in alerts)


def _matrices(bank: Bank, plans: set[FeaturePlan], wanted: set[int]) -> Iterator[Piece]:
    import polars as pl

    from banks.ml.features import build_features

    transactions = datasets.frame(bank)
    chosen = transactions.select(pl.col("key").is_in(list(wanted))).to_series()
    keys = transactions.filter(chosen)["key"].to_list()
    by_plan = {}
    for plan in plans:
        rows = first_stages.scored(bank, transactions, plan)
        table = build_features(rows, plan, joint.signal_for(bank, rows, plan)).filter(chosen)
        by_plan[plan] = table.select(feature_names(plan)).to_numpy().astype(np.float32)
    for start in range(0, len(keys), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        yield Piece(keys[part], {plan: matrix[part] for plan, matrix in by_plan.items()})
