"""What a threshold would do: on the judged window, at the bank's real share of fraud, by week.

A window's share of fraud is rarely the bank's own. Counting each fraud and each genuine payment by
what it stands for (``Weights``) turns one into the other; recall does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np

from banks.ml import thresholds
from banks.ml.encoding import FloatArray
from banks.ml.evaluation import GRID, Confusion, confusion_at
from banks.ml.scored import CELLS
from banks.models import BankSettings, ThresholdChange
from banks.selectors.drilldown import Split, Window, splits, window_of
from banks.selectors.performance import Figures, bin_of, edge
from banks.services.thresholds import threshold_of
from consortium.intervals import Interval

Aim = ThresholdChange.Aim
DEFAULTS: Final = {Aim.PRECISION: 0.8, Aim.RECALL: 0.7}
MOST_WEEKS: Final = 6


@dataclass(frozen=True)
class Weights:
    """How many real payments a fraud and a genuine payment of the window each stand for."""

    fraud: float = 1.0
    genuine: float = 1.0

    @classmethod
    def at(cls, prevalence: float | None, frauds: int, total: int) -> Weights:
        """So that ``prevalence`` of as many payments are fraud; as measured where it is None."""
        if prevalence is None or not 0 < frauds < total:
            return cls()
        measured = frauds / total
        return cls(prevalence / measured, (1 - prevalence) / (1 - measured))

    def precision(self, measured: float | None) -> float | None:
        """A measured precision where fraud is as common as the weights say."""
        if measured is None:
            return None
        hits, misses = measured * self.fraud, (1 - measured) * self.genuine
        return hits / (hits + misses)


@dataclass(frozen=True)
class Week:
    """Seven days of the window at the threshold looked at, and at the one in force."""

    begin: datetime
    counts: list[list[int]]  # genuine, fraud by bin
    confusion: Confusion
    in_force: Confusion

    @property
    def frauds(self) -> int:
        return self.confusion.tp + self.confusion.fn

    @property
    def total(self) -> int:
        return self.frauds + self.confusion.fp + self.confusion.tn


@dataclass(frozen=True, eq=False)
class Studio:
    """A version's figures at a threshold that somebody tries out."""

    figures: Figures
    window: Window | None
    prevalence: float | None
    aim: str
    targets: dict[str, float]

    @property
    def settings(self) -> BankSettings:
        return self.figures.settings

    @property
    def frauds(self) -> int:
        return int(self.figures.histogram[1].sum())

    @property
    def total(self) -> int:
        return int(self.figures.histogram.sum())

    @property
    def measured_prevalence(self) -> float | None:
        return self.frauds / self.total if self.total else None

    @cached_property
    def weights(self) -> Weights:
        return Weights.at(self.prevalence, self.frauds, self.total)

    @property
    def precision(self) -> float | None:
        return self.weights.precision(self.figures.confusion.precision)

    @property
    def precision_interval(self) -> Interval | None:
        """Given the alerts, their odds of fraud only change by a factor: so do the ends."""
        found = self.figures.confusion.precision_interval
        if found is None:
            return None
        return Interval(
            self.weights.precision(found.low) or 0.0, self.weights.precision(found.high) or 0.0
        )

    @property
    def f1(self) -> float | None:
        found, weights = self.figures.confusion, self.weights
        hits = 2 * weights.fraud * found.tp
        whole = hits + weights.genuine * found.fp + weights.fraud * found.fn
        return hits / whole if whole else None

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        """As measured from one proportion; else from the ends of precision and recall."""
        precision, recall = self.precision_interval, self.figures.confusion.recall_interval
        if self.prevalence is None or precision is None or recall is None:
            return self.figures.f1_interval
        return _f1(precision.low, recall.low), _f1(precision.high, recall.high)

    @property
    def alerts_a_day(self) -> float:
        found, weights = self.figures.confusion, self.weights
        return (weights.fraud * found.tp + weights.genuine * found.fp) / self.figures.days

    @property
    def hours_a_day(self) -> float:
        return self.alerts_a_day * self.settings.minutes_a_review / 60

    @property
    def false_alarms_a_fraud(self) -> float | None:
        """False alarms for each fraud caught."""
        found, weights = self.figures.confusion, self.weights
        return weights.genuine * found.fp / (weights.fraud * found.tp) if found.tp else None

    @property
    def caught(self) -> int:
        return round(self.weights.fraud * self.figures.value_caught)

    @property
    def missed(self) -> int:
        return round(self.weights.fraud * self.figures.value_missed)

    @cached_property
    def values(self) -> FloatArray:
        """Expected value of each cut in minor units over the window, float64[bins + 1]."""
        found = self.figures
        return thresholds.value_by_cut(
            self._weighted,
            np.array(found.evaluation.fraud_amount) * self.weights.fraud,
            recoverable=self.settings.recoverable_share,
            review_cost=self.settings.review_cost,
        )

    @property
    def value_a_day(self) -> int:
        return round(float(self.values[self.figures.cut]) / self.figures.days)

    @property
    def in_force(self) -> int:
        """The cut that stands for the threshold in force."""
        return bin_of(self.in_force_threshold)

    @cached_property
    def in_force_threshold(self) -> float:
        return threshold_of(self.figures.version)

    @cached_property
    def weeks(self) -> list[Week]:
        """The last weeks of the window, oldest first; empty without the rows behind it."""
        if self.window is None:
            return []
        return [
            Week(
                begin=datetime.fromtimestamp(begin / 1e6, tz=UTC),
                counts=counts,
                confusion=confusion_at(np.array(counts), self.figures.logit),
                in_force=confusion_at(np.array(counts), edge(self.in_force)),
            )
            for begin, counts in self.window.tally.weeks[-MOST_WEEKS:]
        ]

    @cached_property
    def splits(self) -> list[Split]:
        """The window by channel, amount band and typology; empty without the rows behind it."""
        return splits(self.window) if self.window else []

    @cached_property
    def amounts(self) -> dict[str, int] | None:
        """Minor units of each cell of the matrix; None without the rows behind it."""
        if self.window is None:
            return None
        by_label = self.window.tally.genuine_amount, self.figures.evaluation.fraud_amount
        cut = self.figures.cut
        return {
            cell: sum(by_label[label][cut:] if alerts else by_label[label][:cut])
            for cell, (label, alerts) in CELLS.items()
        }

    @property
    def _weighted(self) -> FloatArray:
        return _weighted(self.figures, self.weights)


def studio(
    figures: Figures,
    *,
    prevalence: float | None = None,
    aim: str = "",
    targets: dict[str, float] | None = None,
) -> Studio:
    """A version's studio; with an ``aim`` its threshold is the one that reaches it."""
    wanted = {
        **{str(name): value for name, value in DEFAULTS.items()},
        str(Aim.REVIEWS): float(figures.settings.reviews_a_day),
        **(targets or {}),
    }
    frauds, total = int(figures.histogram[1].sum()), int(figures.histogram.sum())
    if aim in Aim.values and aim != Aim.PERSON:
        weights = Weights.at(prevalence, frauds, total)
        figures = Figures(
            figures.evaluation, figures.settings, cut_for(figures, weights, aim, wanted)
        )
    else:
        aim = ""
    return Studio(figures, window_of(figures.evaluation), prevalence, aim, wanted)


def cut_for(figures: Figures, weights: Weights, aim: str, targets: dict[str, float]) -> int:
    """The lowest-workload cut of the grid that reaches the aim."""
    counts = _weighted(figures, weights)
    if aim == Aim.PRECISION:
        found = thresholds.for_precision(counts, targets[aim])
    elif aim == Aim.RECALL:
        found = thresholds.for_recall(counts, targets[aim])
    elif aim == Aim.REVIEWS:
        found = thresholds.for_reviews(counts, figures.days, targets[aim])
    elif aim == Aim.F1:
        found = thresholds.for_best_f1(counts)
    else:
        values = thresholds.value_by_cut(
            counts,
            np.array(figures.evaluation.fraud_amount) * weights.fraud,
            recoverable=figures.settings.recoverable_share,
            review_cost=figures.settings.review_cost,
        )
        return int(len(values) - 1 - values[::-1].argmax())
    return GRID.threshold_bin(found)


def for_script(found: Studio, money: dict[str, Any]) -> dict[str, Any]:
    """All that the page needs to say the same for any threshold without asking again."""
    figures, settings = found.figures, found.settings
    genuine_amount = None if found.window is None else found.window.tally.genuine_amount
    return {
        "low": GRID.low,
        "high": GRID.high,
        "fraud": figures.evaluation.fraud,
        "genuine": figures.evaluation.genuine,
        "fraudAmount": figures.evaluation.fraud_amount,
        "genuineAmount": genuine_amount,
        "days": figures.days,
        "minutesAReview": settings.minutes_a_review,
        "reviewsADay": settings.reviews_a_day,
        "recoverable": settings.recoverable_share,
        "reviewCost": settings.review_cost,
        "inForce": found.in_force,
        "splits": [split.counts for split in found.splits],
        "weeks": [week.counts for week in found.weeks],
        "money": money,
    }


def _weighted(figures: Figures, weights: Weights) -> FloatArray:
    weighted: FloatArray = figures.histogram * np.array([[weights.genuine], [weights.fraud]])
    return weighted


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
