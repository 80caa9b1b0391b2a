"""Bucket sums under the counterparties' names: what banks add up to see together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import NOBODY, Names, Rows, names_in
from banks.ml.features.sums import BucketSums

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Signal:
    """Sums per named counterparty. A name may be a keyed token: nothing here looks inside."""

    counterparties: Names
    sums: BucketSums

    @classmethod
    def of_frame(cls, frame: pl.DataFrame, plan: FeaturePlan) -> Signal:
        """Add up one bank's canonical frame: its own view, and its contribution to the joint."""
        names = names_in(frame["counterparty"])
        rows = Rows.of_frame(frame, plan, Names(), names)
        return cls(names, BucketSums.of(rows, len(names), plan))

    @classmethod
    def total(cls, parts: Sequence[Signal]) -> Signal:
        """Add up several banks' signals: the joint view, by the same integers as the opened sum."""
        names = Names()
        for part in parts:
            names.add(part.counterparties.names)
        return cls(names, BucketSums.total([part.under(names) for part in parts]))

    def under(self, names: Names) -> BucketSums:
        """Return the sums renumbered to ``names``; counterparties it lacks are dropped."""
        codes = names.codes_of(self.counterparties)
        codes[codes == len(names)] = NOBODY
        return BucketSums(
            len(names), self.sums.volume.translated(codes), self.sums.labels.translated(codes)
        )
