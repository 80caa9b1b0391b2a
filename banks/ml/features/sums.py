"""Integer sums per counterparty and bucket: a bank's own, or the total over many banks.

``volume`` counts a payment in the bucket of its time: ``payments`` and ``log_amount`` (sum of
log(1+|amount|) in LOG_UNIT). ``labels`` counts it in the bucket in which its label became known:
``known``, ``frauds`` and ``unexplained`` (sum over frauds of 1 - first-stage probability, in
UNEXPLAINED_UNIT). All five add up over banks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.clock import bucket_of, local_time
from banks.ml.features.events import IntArray, order_of
from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import NOBODY, RISK_UNIT, Rows

LOG_UNIT: Final = 1 << 10
UNEXPLAINED_UNIT: Final = 1 << 8
VOLUME: Final = ("payments", "log_amount")
LABELS: Final = ("known", "frauds", "unexplained")


@dataclass(frozen=True)
class Cells:
    """Sums per (counterparty, bucket), sorted, no pair twice."""

    counterparty: IntArray
    bucket: IntArray
    sums: dict[str, IntArray]

    def __getitem__(self, name: str) -> IntArray:
        return self.sums[name]

    def __len__(self) -> int:
        return len(self.bucket)

    @classmethod
    def of(
        cls, counterparty: IntArray, bucket: IntArray, values: dict[str, IntArray], groups: int
    ) -> Cells:
        """Add up values of equal (counterparty, bucket)."""
        order = order_of(counterparty, bucket, groups)
        counterparty, bucket = counterparty[order], bucket[order]
        new = np.ones(len(order), bool)
        new[1:] = (counterparty[1:] != counterparty[:-1]) | (bucket[1:] != bucket[:-1])
        first = np.flatnonzero(new)
        sums = {
            name: np.add.reduceat(value[order], first) if len(first) else value
            for name, value in values.items()
        }
        return cls(counterparty[first], bucket[first], sums)

    def where(self, mask: NDArray[np.bool_]) -> Cells:
        """Return the cells the mask keeps."""
        sums = {name: value[mask] for name, value in self.sums.items()}
        return Cells(self.counterparty[mask], self.bucket[mask], sums)

    def translated(self, codes: IntArray) -> Cells:
        """Return the cells under other counterparty numbers, sorted again; NOBODY is dropped."""
        counterparty = codes[self.counterparty]
        kept = counterparty != NOBODY
        groups = int(codes.max(initial=0)) + 1
        cells = self.where(kept)
        return Cells.of(counterparty[kept], cells.bucket, cells.sums, groups)


@dataclass(frozen=True)
class BucketSums:
    """The two kinds of cells of ``counterparties`` counterparties, numbered from 0."""

    counterparties: int
    volume: Cells
    labels: Cells

    @classmethod
    def of(
        cls, rows: Rows, counterparties: int, plan: FeaturePlan, labels: Rows | None = None
    ) -> BucketSums:
        """Add up a bank's own rows; ``labels`` are the rows whose labels count, else the same."""
        return cls(
            counterparties,
            volume_cells(rows, counterparties, plan),
            label_cells(labels or rows, counterparties, plan),
        )

    @classmethod
    def total(cls, parts: Sequence[BucketSums]) -> BucketSums:
        """Add up sums that number their counterparties alike (later ones may know more)."""
        groups = max(part.counterparties for part in parts)
        return cls(
            groups,
            _added([part.volume for part in parts], groups),
            _added([part.labels for part in parts], groups),
        )


def volume_cells(rows: Rows, counterparties: int, plan: FeaturePlan) -> Cells:
    """Count payments in the bucket of their time."""
    has = rows.counterparty != NOBODY
    logs = np.rint(rows.log_amount[has] * LOG_UNIT).astype(np.int64)
    values = {"payments": np.ones(len(logs), np.int64), "log_amount": logs}
    bucket = bucket_of(local_time(rows.time[has], plan.zone), plan.bucket_hours)
    return Cells.of(rows.counterparty[has], bucket, values, counterparties)


def label_cells(rows: Rows, counterparties: int, plan: FeaturePlan) -> Cells:
    """Count labels in the bucket in which they became known."""
    has = (rows.counterparty != NOBODY) & (rows.label >= 0)
    fraud = rows.label[has].astype(np.int64)
    unexplained = RISK_UNIT - rows.risk[has]
    rounded = (unexplained + RISK_UNIT // UNEXPLAINED_UNIT // 2) * UNEXPLAINED_UNIT // RISK_UNIT
    values = {
        "known": np.ones(len(fraud), np.int64),
        "frauds": fraud,
        "unexplained": fraud * rounded,
    }
    bucket = bucket_of(local_time(rows.known_at[has], plan.zone), plan.bucket_hours)
    return Cells.of(rows.counterparty[has], bucket, values, counterparties)


def _added(parts: Sequence[Cells], groups: int) -> Cells:
    names = parts[0].sums
    return Cells.of(
        np.concatenate([part.counterparty for part in parts]),
        np.concatenate([part.bucket for part in parts]),
        {name: np.concatenate([part[name] for part in parts]) for name in names},
        groups,
    )
