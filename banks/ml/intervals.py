"""How sure a figure is. Counts draw all figures again and again, many draws at once.

Transactions are drawn within each label as if independent; where frauds come in runs the true
intervals are wider. Differences between two models are paired and drawn by account instead
(``banks.ml.ranking``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from banks.ml.encoding import FloatArray, IntArray
from consortium.intervals import Z_95, Interval

LEVELS = (0.025, 0.975)
DRAWS = 400


@dataclass(frozen=True)
class CurveIntervals:
    """Of the figures of a precision-recall curve; None without frauds."""

    average_precision: Interval | None = None
    recall_at_precision: Interval | None = None
    precision_at_recall: Interval | None = None


def curve_intervals(
    hist: IntArray, *, precision: float, recall: float, seed: int = 0, draws: int = DRAWS
) -> CurveIntervals:
    """Of average precision, recall at ``precision`` and precision at ``recall``."""
    if not hist[1].sum():
        return CurveIntervals()
    tp, alerts = _drawn(hist, seed=seed, draws=draws)
    share = tp / np.maximum(alerts, 1)
    found = tp / tp[:, -1:]
    gained = np.diff(found, prepend=0.0, axis=1)
    reached = np.where((alerts > 0) & (share >= precision), found, 0.0)
    return CurveIntervals(
        average_precision=percentile_interval((gained * share).sum(axis=1)),
        recall_at_precision=percentile_interval(reached.max(axis=1)),
        precision_at_recall=percentile_interval(np.where(found >= recall, share, 0.0).max(axis=1)),
    )


def value_interval(
    caught: float, missed: float, caught_squares: float, missed_squares: float
) -> Interval | None:
    """Of the share caught / (caught + missed) of an amount, by its linearised variance.

    ``*_squares`` are sums of squared amounts: one large fraud makes the share uncertain. None
    where there is no amount.
    """
    total = caught + missed
    if total <= 0:
        return None
    share = caught / total
    variance = (caught_squares * (1 - share) ** 2 + missed_squares * share**2) / total**2
    half = Z_95 * math.sqrt(variance)
    return Interval(max(0.0, share - half), min(1.0, share + half))


def mean_interval(hits: IntArray, places: IntArray, *, seed: int = 0) -> Interval | None:
    """Of Σ hits / Σ places where days (rows) are drawn together; None without places."""
    if not len(places) or not places.sum():
        return None
    rows = np.random.default_rng(seed).integers(0, len(places), (DRAWS, len(places)))
    total = places[rows].sum(axis=1)
    return percentile_interval((hits[rows].sum(axis=1) / np.maximum(total, 1))[total > 0])


def percentile_interval(values: FloatArray) -> Interval:
    """The middle 95 % of what was drawn."""
    low, high = np.quantile(values, LEVELS)
    return Interval(float(low), float(high))


def _drawn(hist: IntArray, *, seed: int, draws: int) -> tuple[IntArray, IntArray]:
    """Frauds, and all rows, at or above each occupied bin, highest first: int64[draws, bins]."""
    generator = np.random.default_rng(seed)
    kept = hist[:, hist.sum(axis=0) > 0][:, ::-1]
    genuine, fraud = (_resampled(counts, generator, draws) for counts in kept)
    tp = np.cumsum(fraud, axis=1)
    return tp, tp + np.cumsum(genuine, axis=1)


def _resampled(counts: IntArray, generator: np.random.Generator, draws: int) -> IntArray:
    total = int(counts.sum())
    if not total:
        return np.zeros((draws, len(counts)), dtype=np.int64)
    return generator.multinomial(total, counts / total, size=draws)
