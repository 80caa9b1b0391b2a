"""Does a probability mean what it says? Read from the same counts as every other figure.

The mean probability of a bin of scores is that of its middle: on a grid of 512 logits that is
within 2.5 % of the exact mean.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from banks.ml.encoding import IntArray
from banks.ml.evaluation import GRID, ScoreGrid
from banks.ml.ranking import sigmoid
from consortium.intervals import Interval, wilson

BOUNDS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class ReliabilityBin:
    """Transactions whose probability lies in [low, high): what was said, and what was found."""

    low: float
    high: float
    rows: int
    frauds: int
    said: float

    @property
    def found(self) -> float:
        return self.frauds / self.rows

    @property
    def interval(self) -> Interval | None:
        return wilson(self.frauds, self.rows)

    @property
    def holds(self) -> bool:
        """Whether chance alone could explain the gap."""
        sure = self.interval
        return sure is not None and sure.low <= self.said <= sure.high


@dataclass(frozen=True)
class Reliability:
    """Occupied bins from low to high; the error is None without rows."""

    bins: tuple[ReliabilityBin, ...]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.bins)

    @property
    def expected_calibration_error(self) -> float | None:
        """Mean |found − said|, weighted by rows (Naeini et al. 2015)."""
        if not self.rows:
            return None
        return sum(abs(one.found - one.said) * one.rows for one in self.bins) / self.rows

    @property
    def expected_frauds(self) -> float:
        """Frauds if every probability were true; beside the number found."""
        return sum(one.said * one.rows for one in self.bins)

    @property
    def frauds(self) -> int:
        return sum(one.frauds for one in self.bins)


def reliability(hist: IntArray, grid: ScoreGrid = GRID) -> Reliability:
    """From a histogram of logits by label, int64[2, bins]."""
    middle = sigmoid(grid.edges + (grid.high - grid.low) / grid.bins / 2)
    rows, frauds = hist.sum(axis=0), hist[1]
    place = np.digitize(middle, BOUNDS[1:-1])
    found = []
    for index, (low, high) in enumerate(itertools.pairwise(BOUNDS)):
        inside = place == index
        count = int(rows[inside].sum())
        if count:
            said = float((middle[inside] * rows[inside]).sum() / count)
            found.append(ReliabilityBin(low, high, count, int(frauds[inside].sum()), said))
    return Reliability(tuple(found))
