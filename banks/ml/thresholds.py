"""Where to draw the line: by precision, recall, capacity, value, or the best F1; never 0.5.

Each function returns a threshold on the logit: transactions at or above it alert. +∞ means that no
threshold does what was asked, so nothing alerts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.evaluation import GRID, ScoreGrid
from banks.ml.ranking import sigmoid
from consortium.protocol.errors import Refused, gettext_noop

Counts = IntArray | FloatArray


def for_precision(hist: Counts, target: float, grid: ScoreGrid = GRID) -> float:
    """The threshold with the best recall among those whose precision reaches the target."""
    _require_share(target)
    tp, alerts = _alerting(hist)
    reached = (alerts > 0) & (tp >= target * alerts)
    return _lowest(reached, grid)


def for_recall(hist: Counts, target: float, grid: ScoreGrid = GRID) -> float:
    """The highest threshold whose recall reaches the target: the fewest alerts that do."""
    _require_share(target)
    tp, _ = _alerting(hist)
    reached = (tp >= target * tp[0]) & (tp > 0)
    return float(grid.edges[np.flatnonzero(reached)[-1]]) if reached.any() else math.inf


def for_reviews(hist: Counts, days: float, per_day: float, grid: ScoreGrid = GRID) -> float:
    """The lowest threshold with at most ``per_day`` alerts a day on average over the window."""
    if not days > 0 or not per_day >= 0:
        raise Refused(
            "review_capacity",
            gettext_noop("Reviews a day need a window of at least one day and a capacity of 0 up."),
            field="per_day",
        )
    _, alerts = _alerting(hist)
    return _lowest(alerts <= per_day * days, grid)


def for_best_f1(hist: Counts, grid: ScoreGrid = GRID) -> float:
    """The threshold with the largest F1; the highest of equals."""
    tp, alerts = _alerting(hist)
    if tp[0] == 0:
        return math.inf
    f1 = 2 * tp / (alerts + tp[0])
    return float(grid.edges[grid.bins - 1 - int(f1[::-1].argmax())])


def for_expected_value(
    logits: ArrayLike,
    labels: ArrayLike,
    amounts: ArrayLike,
    *,
    recoverable: float,
    review_cost: float,
    grid: ScoreGrid = GRID,
) -> float:
    """The threshold that would have saved most in a labelled window.

    An alert on a fraud saves ``recoverable`` (0 to 1) of its amount, and every alert costs
    ``review_cost``; amounts and cost in the same unit. +∞ when reviewing saves nothing.
    """
    _require_share(recoverable)
    known = np.asarray(labels) >= 0
    saved = np.asarray(amounts, dtype=np.float64) * recoverable * (np.asarray(labels) == 1)
    gain = np.where(known, saved - review_cost, 0.0)
    by_bin = np.bincount(grid.bin_of(logits), gain, minlength=grid.bins)
    value = np.cumsum(by_bin[::-1])[::-1]
    best = grid.bins - 1 - int(value[::-1].argmax())
    return float(grid.edges[best]) if value[best] > 0 else math.inf


def value_by_cut(
    hist: ArrayLike, fraud_amounts: ArrayLike, *, recoverable: float, review_cost: float
) -> FloatArray:
    """What each cut of the grid would have saved over a window, float64[bins + 1].

    From counts and amounts of fraud by bin, as ``for_expected_value`` does from rows. Alerting on
    nothing is worth nothing.
    """
    _require_share(recoverable)
    gain = recoverable * np.asarray(fraud_amounts, dtype=np.float64)
    gain = gain - review_cost * np.asarray(hist, dtype=np.float64).sum(axis=0)
    return np.append(np.cumsum(gain[::-1])[::-1], 0.0)


def logit_of(probability: float) -> float:
    """The logit of a threshold given as a probability; 1 and more alert on nothing."""
    if probability >= 1.0:
        return math.inf
    return math.log(probability / (1.0 - probability)) if probability > 0 else -math.inf


def expected_loss(logits: ArrayLike, amounts: ArrayLike, recoverable: float = 1.0) -> FloatArray:
    """p × amount × recoverable share, in the unit of the amounts: the order of a queue."""
    _require_share(recoverable)
    return sigmoid(logits) * np.asarray(amounts, dtype=np.float64) * recoverable


def _alerting(hist: Counts) -> tuple[Counts, Counts]:
    """Frauds and all transactions at or above the lower edge of each bin."""
    from_above = np.cumsum(hist[:, ::-1], axis=1)[:, ::-1]
    return from_above[1], from_above.sum(axis=0)


def _lowest(allowed: np.ndarray[tuple[int], np.dtype[np.bool_]], grid: ScoreGrid) -> float:
    return float(grid.edges[int(allowed.argmax())]) if allowed.any() else math.inf


def _require_share(value: float) -> None:
    if not 0 <= value <= 1:
        raise Refused("share", gettext_noop("A share lies between 0 and 1."))
