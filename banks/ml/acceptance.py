"""A candidate against the best so far on the same rows: as a whole, and in each part that can tell.

Refused is what is clearly worse: by more than ``WORSE_BY`` in average precision, and by more than
chance explains (paired bootstrap over accounts). A part with few frauds says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import FloatArray
from banks.ml.evaluation import ENOUGH_POSITIVES
from banks.ml.ranking import average_precision, group_draws, paired_difference
from banks.ml.segments import Segment

WORSE_BY = 0.02
DRAWS, DRAWS_FOR_LARGE, LARGE = 100, 40, 20_000


@dataclass(frozen=True)
class Check:
    """One question of the test; ``difference`` is candidate − best with its 95 % interval."""

    kind: str
    name: str
    rows: int
    frauds: int
    candidate: float | None = None
    best: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self) -> str:
        """``passed``, ``failed``, or ``too_few`` where frauds are too few to say anything."""
        if self.difference is None or self.high is None:
            return "too_few"
        return "failed" if self.difference < -WORSE_BY and self.high < 0 else "passed"


def checks(
    candidate: FloatArray,
    best: FloatArray,
    labels: ArrayLike,
    groups: ArrayLike,
    segments: Iterable[Segment],
) -> Iterator[Check]:
    """The whole window first, then each segment; rows with label −1 are left out."""
    y, names = np.asarray(labels), np.asarray(groups)
    everything = Segment("all", "", np.ones(len(y), dtype=np.bool_))
    for segment in (everything, *segments):
        rows = segment.rows & (y >= 0)
        yield _check(segment, candidate[rows], best[rows], y[rows], names[rows])


def _check(
    segment: Segment,
    candidate: FloatArray,
    best: FloatArray,
    labels: NDArray[np.integer],
    groups: NDArray[np.str_],
) -> Check:
    frauds = int((labels == 1).sum())
    if frauds < ENOUGH_POSITIVES:
        return Check(segment.kind, segment.name, len(labels), frauds)
    draws = group_draws(groups, DRAWS if len(labels) <= LARGE else DRAWS_FOR_LARGE, seed=0)
    return Check(
        segment.kind,
        segment.name,
        len(labels),
        frauds,
        average_precision(candidate, labels),
        average_precision(best, labels),
        *paired_difference(average_precision, candidate, best, labels, draws),
    )
