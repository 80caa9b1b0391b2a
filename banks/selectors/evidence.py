"""What stands behind a version's figures: calibration, days, value, and the parts of a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from banks.ml.daily import TopOfDay, top_of_day
from banks.ml.encoding import IntArray
from banks.ml.evaluation import Confusion, confusion_at, evaluate
from banks.ml.evaluation import Evaluation as Standing
from banks.ml.intervals import value_interval
from banks.ml.reliability import Reliability, reliability
from banks.models import EvaluationSegment, ReasonCode
from banks.selectors.performance import Figures
from consortium.intervals import Interval


@dataclass(frozen=True, eq=False)
class SegmentFigures:
    """A part of a window at the version's threshold."""

    segment: EvaluationSegment
    cut: int
    logit: float

    @cached_property
    def histogram(self) -> IntArray:
        return np.array([self.segment.genuine, self.segment.fraud], dtype=np.int64)

    @cached_property
    def standing(self) -> Standing:
        return evaluate(self.histogram)

    @cached_property
    def confusion(self) -> Confusion:
        return confusion_at(self.histogram, self.logit)

    @property
    def digits(self) -> int | None:
        """Of a band of amounts."""
        is_band = self.segment.kind == EvaluationSegment.Kind.AMOUNT
        return int(self.segment.name) if is_band else None

    @property
    def amounts(self) -> tuple[int, int] | None:
        """Least and most of the band in minor units."""
        if self.digits is None:
            return None
        return (10 ** (self.digits - 1) if self.digits > 1 else 0), 10**self.digits - 1

    @property
    def name(self) -> str:
        """A channel as the source names it, or a typology in the reader's language."""
        if self.segment.kind == EvaluationSegment.Kind.TYPOLOGY:
            return str(dict(ReasonCode.choices).get(self.segment.name, self.segment.name))
        return self.segment.name


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything an evaluation's counts say, at one threshold."""

    figures: Figures

    @cached_property
    def segments(self) -> list[SegmentFigures]:
        found = self.figures.evaluation.segments.all()
        return [SegmentFigures(one, self.figures.cut, self.figures.logit) for one in found]

    @cached_property
    def reliability(self) -> Reliability:
        return reliability(self.figures.histogram)

    @cached_property
    def days(self) -> list[TopOfDay]:
        return top_of_day(self.figures.evaluation.daily)

    @property
    def value_share(self) -> float | None:
        """Share of the frauds' value that alerts."""
        caught, missed = self.figures.value_caught, self.figures.value_missed
        return caught / (caught + missed) if caught + missed else None

    @property
    def value_interval(self) -> Interval | None:
        squares = self.figures.evaluation.fraud_amount_squared
        if not squares:
            return None
        cut = self.figures.cut
        return value_interval(
            self.figures.value_caught,
            self.figures.value_missed,
            sum(squares[cut:]),
            sum(squares[:cut]),
        )


def evidence_of(*figures: Figures | None) -> Iterator[Evidence]:
    """For each window that was measured."""
    yield from (Evidence(found) for found in figures if found)
