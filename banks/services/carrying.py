"""Carrying a bank's past forward: what later payments need of it, added up once a day.

A payment's features look back on all that its account and its counterparty did. Adding that up
again for each payment costs more the busier they are; so a worker adds up all payments before
today, with the batch's own code, and scoring reads the sums and the payments since (``lookback``).
The rows can be deleted at any time: scoring then reads the whole past, more slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.utils import timezone

from banks.ml.features.single import CounterpartyPast
from banks.models import BankSettings, CarriedPast, Carry, ModelVersion
from banks.services import datasets, first_stages
from banks.services.lookback import clock_of, microseconds
from banks.services.stale_pasts import CARRYING, lock_key
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

if TYPE_CHECKING:
    import polars as pl

    from banks.ml.features.plan import FeaturePlan

LEAST_ROWS: Final = 50  # whoever has fewer is read as quickly in full
MOST_STALE: Final = 200  # so many changed pasts are worth carrying again today
PATIENCE: Final = timedelta(minutes=30)  # a carrying this old was dropped
ROWS_AT_ONCE: Final = 500

Side = CarriedPast.Side
Past = tuple[str, str, bytes]  # side, name, content


def due(bank: Bank) -> bool:
    """Whether today's carrying is missing, or too much has changed since; in no scope."""
    with bank_scope(bank.pk):
        plan = _plan(bank)
        if plan is None:
            return False
        newest = Carry.objects.filter(bank=bank, clock=clock_of(plan)).order_by("-pk").first()
        if newest is None:
            return True
        if newest.completed_at is None:
            return newest.created_at < timezone.now() - PATIENCE
        if newest.until < _today():
            return True
        stale = CarriedPast.objects.filter(carry=newest, content__isnull=True)
        return stale[MOST_STALE:].exists()


def carry_forward(*, bank: Bank, until: datetime | None = None) -> int:
    """Add up all before ``until`` (by default, today); returns how many pasts were carried."""
    with bank_scope(bank.pk):
        plan = _plan(bank)
    if plan is None:
        return 0
    carry = _begin(bank, plan, until or _today())
    frame = datasets.frame(bank)  # read after the beginning: it holds all that was not noted
    frame = first_stages.scored(bank, frame, plan)
    pasts, count = _pasts(frame, plan, carry), 0
    while part := list(islice(pasts, ROWS_AT_ONCE)):
        count += _store(bank, carry, part)
    with bank_scope(bank.pk):
        Carry.objects.filter(pk=carry.pk).update(completed_at=timezone.now())
        Carry.objects.filter(bank=bank, clock=carry.clock, pk__lt=carry.pk).delete()
    return count


def _begin(bank: Bank, plan: FeaturePlan, until: datetime) -> Carry:
    """From its commit on, every change to the past before ``until`` is noted on the row."""
    with bank_scope(bank.pk), connection.cursor() as cursor:
        cursor.execute(CARRYING, [lock_key(bank)])
        return Carry.objects.create(bank=bank, clock=clock_of(plan), until=until)


def _pasts(frame: pl.DataFrame, plan: FeaturePlan, carry: Carry) -> Iterator[Past]:
    """(side, name, content) of all who have many payments."""
    import polars as pl

    from banks.ml.features import Signal
    from banks.ml.online import State

    before = frame.filter(pl.col("time") < microseconds(carry.until))
    accounts = State.from_frame(before, replace(plan, counterparties=False))
    for name in _busy(before["account"]):
        yield Side.ACCOUNT, name, accounts.account_past(name).to_bytes()
    # All buckets are kept: what other banks know is told apart from the own part of each.
    own = Signal.of_frame(before, plan)
    for name in _busy(before["counterparty"]) | _defrauded(before, plan):
        past = CounterpartyPast.of(own.sums, own.counterparties.code(name))
        yield Side.COUNTERPARTY, name, past.to_bytes()


def _busy(column: pl.Series) -> dict[str, None]:
    counts = column.drop_nulls().value_counts(name="payments")
    return dict.fromkeys(counts.filter(counts["payments"] >= LEAST_ROWS)[column.name])


def _defrauded(before: pl.DataFrame, plan: FeaturePlan) -> dict[str, None]:
    """Counterparties whose frauds a first stage explains by the pasts of other accounts."""
    if not plan.first_stage:
        return {}
    return dict.fromkeys(before.filter(before["label"] == 1)["counterparty"].drop_nulls())


def _store(bank: Bank, carry: Carry, pasts: list[Past]) -> int:
    """Leave alone what has been noted as changed meanwhile."""
    rows = [
        CarriedPast(bank=bank, carry=carry, side=side, name=name, content=content)
        for side, name, content in pasts
    ]
    with bank_scope(bank.pk), connection.cursor() as cursor:
        cursor.execute(CARRYING, [lock_key(bank)])
        CarriedPast.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _plan(bank: Bank) -> FeaturePlan | None:
    """The plan by which the bank scores, where it looks back at all; in the bank's scope."""
    from banks.ml.features.plan import FeaturePlan

    used = BankSettings.objects.filter(bank=bank).values("scoring_version")
    version = ModelVersion.objects.only("feature_plan").filter(pk__in=used).first()
    plan = FeaturePlan.from_json(version.feature_plan) if version else None
    return plan if plan and plan.kind == "behaviour" else None


def _today() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
