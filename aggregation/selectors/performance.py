"""The consortium's curves, from sums that the banks opened, signed and published to the centre."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from aggregation.curves import Curve
from aggregation.models import ModelVersion, PublishedSum, Task
from consortium.accounts.models import Bank

SHOWN = 24


@dataclass(frozen=True)
class Measured:
    """A published sum with the model it measures and the banks that signed it."""

    row: PublishedSum

    @cached_property
    def curve(self) -> Curve:
        return Curve.of(self.row.values)

    @property
    def version(self) -> ModelVersion:
        return self.row.round.run.version

    @property
    def task(self) -> Task:
        return self.row.round.run.task

    @property
    def window(self) -> str:
        return self.row.round.run.window

    @property
    def minimum_cohort(self) -> int:
        return int(self.row.round.manifest["body"]["minimum_cohort"])

    @cached_property
    def signers(self) -> list[Bank]:
        """Who derived these very numbers from the encrypted sum and signed them."""
        words = self.row.round.derived.filter(result=self.row.round.result).select_related("bank")
        return [word.bank for word in words]


def measured(*, task: uuid.UUID | None = None) -> list[Measured]:
    """Published sums, newest first."""
    rows = _sums()
    return [Measured(row) for row in (rows.filter(round__run__task=task) if task else rows)[:SHOWN]]


def newest() -> Measured | None:
    row = _sums().first()
    return Measured(row) if row else None


def _sums() -> QuerySet[PublishedSum]:
    return (
        PublishedSum.objects.select_related("round__run__task", "round__run__version")
        .defer("round__aggregate")
        .order_by("-published_at")
    )
