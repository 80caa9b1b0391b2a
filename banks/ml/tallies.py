"""What pages count of an evaluated window, counted once: a reader of counts needs no rows.

The rows of a large bank's window weigh tens of megabytes; these counts do not grow with it, but
for the frauds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from banks.ml.encoding import IntArray
from banks.ml.evaluation import GRID
from banks.ml.scored import BANDS, ScoredRows

Counts = list[list[int]]  # genuine, fraud by bin of the score grid


@dataclass(frozen=True)
class Tally:
    """Counts by bin of a window's rows, whole and in parts.

    ``weeks``: (begin in µs since 1970, counts), oldest first. ``channels`` and ``bands``: counts
    of each place. ``genuine_amount``: minor units by bin. ``frauds``: (key, bin) of each.
    """

    weeks: list[tuple[int, Counts]]
    channels: list[Counts]
    bands: list[Counts]
    genuine_amount: list[int]
    frauds: list[tuple[int, int]]

    @classmethod
    def of(cls, rows: ScoredRows, channels: int) -> Tally:
        """Count rows whose channels are places in a list of that length."""
        fraud = rows.labels == 1
        return cls(
            weeks=[(begin, rows.counts(which).tolist()) for begin, which in rows.weeks()],
            channels=[rows.counts(rows.channels == place).tolist() for place in range(channels)],
            bands=[rows.counts(rows.bands == band).tolist() for band in range(len(BANDS) + 1)],
            genuine_amount=rows.genuine_amount.tolist(),
            frauds=list(zip(rows.keys[fraud].tolist(), rows.bins[fraud].tolist(), strict=True)),
        )

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Tally:
        """Inverse of ``vars``, by way of JSON."""
        pairs = {name: [(a, b) for a, b in kept[name]] for name in ("weeks", "frauds")}
        return cls(**kept | pairs)

    def counts_of_frauds(self, keys: set[int]) -> Counts:
        """Counts of some frauds only."""
        bins: IntArray = np.array([bin_ for key, bin_ in self.frauds if key in keys], np.int64)
        return [[0] * GRID.bins, np.bincount(bins, minlength=GRID.bins).tolist()]
