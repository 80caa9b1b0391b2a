"""A training run as work: claimed under a lease, reported on, ended once.

A worker that was thought dead and wakes up finds its token outdated: all it writes affects no
row, and it stops.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from banks.models import TrainingRun
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 3

Status = TrainingRun.Status


class LeaseLost(Exception):  # noqa: N818 - what happened, not an error
    """The run was cancelled, or another worker has taken it over; stop without a trace."""


@dataclass(frozen=True)
class Lease:
    """The right to work on one run until somebody else's token is higher."""

    bank: Bank
    run_id: uuid.UUID | str
    token: int
    timings: dict[str, float] = field(default_factory=dict)

    def rows(self) -> QuerySet[TrainingRun]:
        """The run, if this lease still holds."""
        return TrainingRun.objects.filter(
            pk=self.run_id, lease_token=self.token, status=Status.RUNNING
        )

    def report(self, **columns: object) -> None:
        """Write progress in a short transaction of its own and renew the lease."""
        with bank_scope(self.bank.pk):
            if not self.rows().update(lease_until=Now() + LEASE, **columns):
                raise LeaseLost

    @contextmanager
    def step(self, name: str, number: int, total: int) -> Iterator[None]:
        """One visible step, timed."""
        self.report(step=name, step_number=number, steps_total=total, progress=0.0)
        started = time.perf_counter()
        yield
        self.timings[name] = round(time.perf_counter() - started, 3)
        self.report(progress=1.0, timings=self.timings)


def claim(*, bank: Bank, run_id: uuid.UUID | str) -> Lease | None:
    """Take a queued run, or one whose worker fell silent; None if there is nothing to take."""
    with bank_scope(bank.pk):
        free = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, lease_until__lt=Now())
        taken = TrainingRun.objects.filter(free, pk=run_id, attempts__lt=MOST_ATTEMPTS).update(
            status=Status.RUNNING,
            lease_until=Now() + LEASE,
            lease_token=F("lease_token") + 1,
            attempts=F("attempts") + 1,
            started_at=Coalesce("started_at", Now()),
        )
        if not taken:
            return None
        token = TrainingRun.objects.values_list("lease_token", flat=True).get(pk=run_id)
    return Lease(bank=bank, run_id=run_id, token=token)


def finish(lease: Lease, **columns: object) -> None:
    """End a run well; call inside the transaction that writes what it made."""
    if not lease.rows().update(status=Status.DONE, finished_at=Now(), progress=1.0, **columns):
        raise LeaseLost


def fail(lease: Lease, refused: Refused) -> None:
    """End a run with the sentence that says why; nothing if the lease is gone."""
    with bank_scope(lease.bank.pk):
        lease.rows().update(
            status=Status.FAILED,
            finished_at=Now(),
            failure_code=refused.code,
            failure=refused.sentence,
            failure_params={name: str(value) for name, value in refused.params.items()},
        )


def give_up(bank: Bank) -> int:
    """Fail runs whose workers died too often; returns how many."""
    with bank_scope(bank.pk):
        return TrainingRun.objects.filter(
            status=Status.RUNNING, lease_until__lt=Now(), attempts__gte=MOST_ATTEMPTS
        ).update(
            status=Status.FAILED,
            finished_at=Now(),
            failure_code="worker_died",
            failure=gettext_noop(
                "The worker died several times during this run. Look at its log and memory."
            ),
        )


def dropped(bank: Bank, *, queued_for: timedelta) -> list[uuid.UUID]:
    """Runs alone that nobody works on although somebody should."""
    with bank_scope(bank.pk):
        waiting = Q(status=Status.QUEUED, created_at__lt=Now() - queued_for)
        silent = Q(status=Status.RUNNING, lease_until__lt=Now(), attempts__lt=MOST_ATTEMPTS)
        return list(
            TrainingRun.objects.filter(waiting | silent, phase=TrainingRun.Phase.ALONE).values_list(
                "pk", flat=True
            )
        )
