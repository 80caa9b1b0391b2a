"""What a version's counts say: matrices, curves and intervals; ratios are derived here only."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from banks.ml.encoding import IntArray
from banks.ml.evaluation import (
    GRID,
    Confusion,
    confusion_at,
    evaluate,
    histogram_average_precision,
    precision_recall_curve,
)
from banks.ml.evaluation import Evaluation as Standing
from banks.ml.ranking import sigmoid
from banks.ml.thresholds import for_reviews, logit_of
from banks.models import BankSettings, Comparison, Evaluation, ModelVersion
from banks.services.thresholds import threshold_of
from consortium.accounts.models import Bank

Window = Evaluation.Window
MOST_POINTS = 120


@dataclass(frozen=True, eq=False)
class Figures:
    """A version on one window of this bank's own transactions, seen at one threshold.

    ``cut`` is the bin of the score grid from which transactions alert.
    """

    evaluation: Evaluation
    settings: BankSettings
    cut: int

    @property
    def version(self) -> ModelVersion:
        return self.evaluation.version

    @cached_property
    def histogram(self) -> IntArray:
        return np.array([self.evaluation.genuine, self.evaluation.fraud], dtype=np.int64)

    @cached_property
    def confusion(self) -> Confusion:
        return confusion_at(self.histogram, self.logit)

    @cached_property
    def standing(self) -> Standing:
        return evaluate(self.histogram)

    @property
    def average_precision(self) -> float | None:
        """Without its interval, which ``standing`` draws."""
        return histogram_average_precision(self.histogram)

    @property
    def logit(self) -> float:
        return edge(self.cut)

    @property
    def threshold(self) -> float:
        """As a probability of fraud."""
        return 1.0 if math.isinf(self.logit) else float(sigmoid(self.logit))

    @property
    def days(self) -> float:
        found = self.evaluation
        return (found.window_until - found.window_from).total_seconds() / 86400

    @property
    def rows(self) -> int:
        return self.standing.genuine + self.standing.frauds

    @property
    def frauds(self) -> int:
        return int(self.histogram[1].sum())

    @property
    def alerts_a_day(self) -> float:
        return self.confusion.alerts / self.days

    @property
    def hours_a_day(self) -> float:
        """Analysts' hours for those alerts."""
        return self.alerts_a_day * self.settings.minutes_a_review / 60

    @property
    def value_caught(self) -> int:
        return sum(self.evaluation.fraud_amount[self.cut :])

    @property
    def value_missed(self) -> int:
        return sum(self.evaluation.fraud_amount[: self.cut])

    @property
    def f1_interval(self) -> tuple[float, float] | None:
        found = self.confusion.f1_interval
        return (found.low, found.high) if found else None

    def chart(self) -> dict[str, Any]:
        """The precision-recall curve for the chart component."""
        return curve_chart([(str(self.version), self.histogram)], mark=self.confusion)

    def for_slider(self) -> dict[str, Any]:
        """All that a page needs to recompute these figures for any threshold."""
        found = self.evaluation
        return {
            "low": GRID.low,
            "high": GRID.high,
            "fraud": found.fraud,
            "genuine": found.genuine,
            "fraudAmount": found.fraud_amount,
            "days": self.days,
            "minutesAReview": self.settings.minutes_a_review,
            "reviewsADay": self.settings.reviews_a_day,
            "cut": self.cut,
        }


@dataclass(frozen=True, eq=False)
class SideBySide:
    """One of the bank's models at the alert budget that all share."""

    figures: Figures
    in_use: bool
    comparison: Comparison | None


def figures_of(
    version: ModelVersion,
    *,
    window: str = Window.TEST,
    cut: int | None = None,
    settings: BankSettings | None = None,
) -> Figures | None:
    """A version's newest figures on a window, at its own threshold unless ``cut`` is given."""
    found = (
        Evaluation.objects.select_related("version")
        .filter(version=version, window=window)
        .order_by("-window_until", "-pk")
        .first()
    )
    return _figures(found, cut, settings) if found else None


def side_by_side(bank: Bank, *, alerts_a_day: float | None = None) -> list[SideBySide]:
    """Alone, consortium and ensemble on the same test window, each with as many alerts.

    The window is the newest on which the newest version was tested; versions that were not
    tested on it are left out rather than compared unfairly.
    """
    settings = _settings(bank.pk)
    newest = (
        Evaluation.objects.filter(bank=bank, window=Window.TEST)
        .order_by("-version__number", "-window_until")
        .first()
    )
    if newest is None:
        return []
    same_window = Evaluation.objects.select_related("version").filter(
        bank=bank,
        window=Window.TEST,
        window_from=newest.window_from,
        window_until=newest.window_until,
    )
    found = [
        of_origin
        for origin in ModelVersion.Origin.values
        if (
            of_origin := same_window.filter(version__origin=origin)
            .order_by("-version__number")
            .first()
        )
    ]
    budget = _budget(found[0], settings) if alerts_a_day is None else alerts_a_day
    return [_at_budget(evaluation, settings, budget) for evaluation in found]


def bin_of(probability: float) -> int:
    """The cut that stands for a threshold given as a probability."""
    return GRID.threshold_bin(logit_of(probability))


def edge(cut: int) -> float:
    """The logit at which a cut begins; +∞ above the last bin."""
    return math.inf if cut >= GRID.bins else float(GRID.edges[cut])


def curve_chart(
    curves: list[tuple[str, IntArray]], *, mark: Confusion | None = None
) -> dict[str, Any]:
    """Precision against recall, thinned so that the table beside it stays readable."""
    from django.utils.translation import gettext as _

    series = [
        {"name": name, "points": list(_thinned(histogram))}
        for name, histogram in curves
        if histogram[1].sum()
    ]
    chart: dict[str, Any] = {
        "kind": "line",
        "x": {"name": _("recall"), "format": "percent", "min": 0, "max": 1},
        "y": {"name": _("precision"), "format": "percent", "min": 0, "max": 1},
        "series": series,
    }
    if mark and mark.recall is not None:
        chart["marks"] = [{"x": mark.recall, "name": _("threshold")}]
    return chart


def _thinned(histogram: IntArray) -> Iterator[list[float]]:
    points = precision_recall_curve(histogram)
    step = max(1, len(points) // MOST_POINTS)
    for place, point in enumerate(points):
        if place % step == 0 or place == len(points) - 1:
            yield [round(point.recall, 4), round(point.precision, 4)]


def _figures(found: Evaluation, cut: int | None, settings: BankSettings | None = None) -> Figures:
    return Figures(
        evaluation=found,
        settings=settings or _settings(found.bank_id),
        cut=bin_of(threshold_of(found.version)) if cut is None else max(0, min(cut, GRID.bins)),
    )


def _budget(first: Evaluation, settings: BankSettings) -> float:
    """Alerts a day of the first model at its own threshold, as far as they can be reviewed."""
    raised = _figures(first, None, settings).alerts_a_day
    return min(raised, settings.reviews_a_day) or settings.reviews_a_day


def _at_budget(found: Evaluation, settings: BankSettings, budget: float) -> SideBySide:
    figures = _figures(found, 0, settings)
    alerts = round(budget * figures.days, 6)  # whole again after the division by days
    logit = for_reviews(figures.histogram, 1.0, alerts)
    return SideBySide(
        figures=_figures(found, GRID.threshold_bin(logit), settings),
        in_use=settings.scoring_version_id == found.version_id,
        comparison=Comparison.objects.filter(
            version=found.version,
            window_from=found.window_from,
            window_until=found.window_until,
        ).first(),
    )


def _settings(bank_id: uuid.UUID) -> BankSettings:
    return BankSettings.objects.filter(bank=bank_id).first() or BankSettings(bank_id=bank_id)
