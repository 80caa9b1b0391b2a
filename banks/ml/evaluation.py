"""How good scores are, from counts that may be summed: histograms of logits by label.

All figures for people come from a histogram on one public grid, so that a bank's, and the encrypted
sum over banks, are computed alike. Ratios are derived, never stored. Functions of the exact scores
are in ``banks.ml.ranking``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.intervals import DRAWS, curve_intervals
from consortium.intervals import Interval, wilson
from consortium.protocol.errors import Refused, gettext_noop

ENOUGH_POSITIVES = 30
TARGET_PRECISION = 0.8
TARGET_RECALL = 0.7


@dataclass(frozen=True)
class ScoreGrid:
    """Equal bins of the logit; scores outside go to the end bins. Lower edges are thresholds."""

    bins: int = 512
    low: float = -12.0
    high: float = 12.0

    @property
    def edges(self) -> FloatArray:
        """Lower edge of each bin, float64[bins]."""
        return self.low + np.arange(self.bins) * (self.high - self.low) / self.bins

    def bin_of(self, logits: ArrayLike) -> NDArray[np.intp]:
        """Bin of each logit; a logit on an edge belongs to the bin above it."""
        position = (np.asarray(logits, dtype=np.float64) - self.low) * (
            self.bins / (self.high - self.low)
        )
        return np.clip(np.floor(position), 0, self.bins - 1).astype(np.intp)

    def threshold_bin(self, threshold: float) -> int:
        """The bin whose lower edge stands for this threshold: the nearest edge, ``bins`` for +∞."""
        if threshold == math.inf:
            return self.bins
        position = np.rint((threshold - self.low) * self.bins / (self.high - self.low))
        return int(np.clip(position, 0, self.bins))


GRID = ScoreGrid()


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold; every ratio is None where it has no denominator."""

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

    @property
    def f1_interval(self) -> Interval | None:
        """From F1 = 2tp / (2tp + fp + fn): Wilson's interval of J = tp / (tp + fp + fn), mapped.

        F1 = 2J / (1 + J) grows with J, so the ends of one interval are those of the other.
        """
        if (of := wilson(self.tp, self.tp + self.fp + self.fn)) is None:
            return None
        return Interval(2 * of.low / (1 + of.low), 2 * of.high / (1 + of.high))


@dataclass(frozen=True)
class CurvePoint:
    """One threshold of a precision-recall curve."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Evaluation:
    """What a histogram says about a model; counts are those of the evaluated window."""

    genuine: int
    frauds: int
    average_precision: float | None
    average_precision_interval: Interval | None
    recall_at_precision: float | None
    recall_at_precision_interval: Interval | None
    precision_at_recall: float | None
    precision_at_recall_interval: Interval | None

    @property
    def too_few_positives(self) -> bool:
        """Whether the frauds are too few to say anything by."""
        return self.frauds < ENOUGH_POSITIVES


def histogram(logits: ArrayLike, labels: ArrayLike, grid: ScoreGrid = GRID) -> IntArray:
    """Counts by label and bin, int64[2, bins]: row 0 genuine, row 1 fraud; label −1 is left out.

    Raises Refused for a logit that is not a number.
    """
    scores, classes = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    if np.isnan(scores).any():
        raise Refused("score_not_a_number", gettext_noop("A score is not a number."))
    bins = grid.bin_of(scores)
    counts = [np.bincount(bins[classes == label], minlength=grid.bins) for label in (0, 1)]
    return np.array(counts, dtype=np.int64)


def confusion_at(hist: IntArray, threshold: float, grid: ScoreGrid = GRID) -> Confusion:
    """The confusion matrix when logits at or above the threshold alert (snapped to the grid)."""
    cut = grid.threshold_bin(threshold)
    genuine, fraud = hist
    return Confusion(
        tp=int(fraud[cut:].sum()),
        fp=int(genuine[cut:].sum()),
        fn=int(fraud[:cut].sum()),
        tn=int(genuine[:cut].sum()),
    )


def evaluate(hist: IntArray, *, seed: int = 0, draws: int = DRAWS) -> Evaluation:
    """The standing figures of a histogram, with bootstrap intervals."""
    genuine, fraud = hist.sum(axis=1)
    sure = curve_intervals(
        hist, precision=TARGET_PRECISION, recall=TARGET_RECALL, seed=seed, draws=draws
    )
    return Evaluation(
        genuine=int(genuine),
        frauds=int(fraud),
        average_precision=histogram_average_precision(hist),
        average_precision_interval=sure.average_precision,
        recall_at_precision=recall_at_precision(hist),
        recall_at_precision_interval=sure.recall_at_precision,
        precision_at_recall=precision_at_recall(hist),
        precision_at_recall_interval=sure.precision_at_recall,
    )


def histogram_average_precision(hist: IntArray) -> float | None:
    """Average precision Σ (R_k − R_{k−1}) P_k over the bins from above; None without frauds."""
    tp, fp = _cumulative(hist)
    if not len(tp) or tp[-1] == 0:
        return None
    gained = np.diff(tp, prepend=0)
    return float((gained * tp / np.maximum(tp + fp, 1)).sum() / tp[-1])


def precision_recall_curve(hist: IntArray, grid: ScoreGrid = GRID) -> list[CurvePoint]:
    """Points from the highest threshold down; only bins that hold a score."""
    tp, fp = _cumulative(hist)
    frauds = tp[-1]
    if frauds == 0:
        return []
    occupied = hist.sum(axis=0)[::-1] > 0
    return [
        CurvePoint(float(threshold), float(hits / (hits + misses)), float(hits / frauds))
        for threshold, hits, misses in zip(
            grid.edges[::-1][occupied], tp[occupied], fp[occupied], strict=True
        )
    ]


def recall_at_precision(hist: IntArray, target: float = TARGET_PRECISION) -> float | None:
    """The best recall among thresholds with at least this precision; None without frauds."""
    precision, recall = _ratios(hist)
    return float(recall[precision >= target].max(initial=0.0)) if len(recall) else None


def precision_at_recall(hist: IntArray, target: float = TARGET_RECALL) -> float | None:
    """The best precision among thresholds with at least this recall; None without frauds."""
    precision, recall = _ratios(hist)
    return float(precision[recall >= target].max(initial=0.0)) if len(recall) else None


def _cumulative(hist: IntArray) -> tuple[IntArray, IntArray]:
    """Frauds and genuine at or above each bin, from the highest bin down."""
    genuine, fraud = hist
    return np.cumsum(fraud[::-1]), np.cumsum(genuine[::-1])


def _ratios(hist: IntArray) -> tuple[FloatArray, FloatArray]:
    """Precision and recall at each threshold that alerts at all; empty without frauds."""
    tp, fp = _cumulative(hist)
    if tp[-1] == 0:
        return np.empty(0), np.empty(0)
    alerting = tp + fp > 0
    return tp[alerting] / (tp + fp)[alerting], tp[alerting] / tp[-1]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
