"""What a published sum says: score counts by label on one public grid, added over the banks.

The grid and the formulas are those by which every bank measures itself (``banks.ml.evaluation``;
a test holds the two equal). Counts are stored, ratios derived. Knows no Django.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from consortium.intervals import Interval, wilson
from consortium.protocol.errors import Refused, gettext_noop

LOW, HIGH = -12.0, 12.0
"""The logits that the grid spans; scores outside are in the end bins."""
ENOUGH_POSITIVES = 30


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold; a ratio is None where it has no denominator."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def precision(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def alerts(self) -> int:
        return self.tp + self.fp

    @property
    def precision_interval(self) -> Interval | None:
        return wilson(self.tp, self.tp + self.fp)

    @property
    def recall_interval(self) -> Interval | None:
        return wilson(self.tp, self.tp + self.fn)


@dataclass(frozen=True)
class Curve:
    """The histograms of one model: ``genuine[i]`` and ``fraud[i]`` count scores in bin i."""

    genuine: tuple[int, ...]
    fraud: tuple[int, ...]

    @classmethod
    def of(cls, values: Sequence[int]) -> Curve:
        """From a published sum: the genuine bins, then as many fraud bins. Refused if it isn't."""
        bins, odd = divmod(len(values), 2)
        if odd or not bins or min(values) < 0:
            raise Refused(
                "bad_histogram", gettext_noop("The published sum is not a pair of histograms.")
            )
        return cls(tuple(values[:bins]), tuple(values[bins:]))

    @property
    def bins(self) -> int:
        return len(self.genuine)

    @cached_property
    def frauds(self) -> int:
        return sum(self.fraud)

    @cached_property
    def total(self) -> int:
        return sum(self.genuine) + self.frauds

    @property
    def too_few_frauds(self) -> bool:
        """Whether the frauds are too few to say anything by."""
        return self.frauds < ENOUGH_POSITIVES

    def threshold(self, cut: int) -> float:
        """The logit at the lower edge of bin ``cut``."""
        return LOW + cut * (HIGH - LOW) / self.bins

    def probability(self, cut: int) -> float:
        """The same edge as the model's (uncalibrated) probability."""
        return 1.0 / (1.0 + math.exp(-self.threshold(cut)))

    def at(self, cut: int) -> Confusion:
        """The confusion matrix when scores in bin ``cut`` or above alert."""
        tp, fp = sum(self.fraud[cut:]), sum(self.genuine[cut:])
        return Confusion(tp, fp, self.frauds - tp, self.total - self.frauds - fp)

    @property
    def average_precision(self) -> float | None:
        """Σ (R_k − R_{k−1}) P_k over the bins from above; None without frauds."""
        if not self.frauds:
            return None
        gained = zip(self.fraud[::-1], self._from_above(), strict=True)
        return sum(new * tp / max(tp + fp, 1) for new, (tp, fp) in gained) / self.frauds

    def recall_at_precision(self, target: float = 0.8) -> float | None:
        """The best recall among thresholds with at least this precision; None without frauds."""
        if not self.frauds:
            return None
        alerting = ((tp, fp) for tp, fp in self._from_above() if tp + fp)
        return max(
            (tp / self.frauds for tp, fp in alerting if tp / (tp + fp) >= target), default=0.0
        )

    def best_cut(self) -> int:
        """The bin with the highest F1, the highest threshold among equals."""
        return max(reversed(range(self.bins)), key=lambda cut: self.at(cut).f1 or 0.0)

    def points(self) -> list[tuple[float, float]]:
        """(recall, precision) from the highest threshold down, one for each bin with a score."""
        if not self.frauds:
            return []
        held = zip(self.genuine[::-1], self.fraud[::-1], self._from_above(), strict=True)
        return [(tp / self.frauds, tp / (tp + fp)) for g, f, (tp, fp) in held if g or f]

    def _from_above(self) -> Iterator[tuple[int, int]]:
        """Frauds and genuine at or above each bin, from the highest bin down."""
        return zip(accumulate(self.fraud[::-1]), accumulate(self.genuine[::-1]), strict=True)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
