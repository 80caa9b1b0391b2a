"""Figures of exact scores, ties handled; for training, choosing weights, and benchmarks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray, IntArray

Figure = Callable[[ArrayLike, ArrayLike, ArrayLike], float]


def sigmoid(logits: ArrayLike) -> FloatArray:
    """1 / (1 + e^−z) without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(logits, dtype=np.float64))))


def log_loss(logits: ArrayLike, labels: ArrayLike) -> float:
    """Mean negative log-likelihood of labels 0 and 1, in nats; NaN for no rows."""
    return float(log_losses(logits, labels).mean())


def log_losses(logits: ArrayLike, labels: ArrayLike) -> FloatArray:
    """Negative log-likelihood of each row, in nats."""
    z = np.asarray(logits, dtype=np.float64)
    return np.asarray(np.logaddexp(0.0, z) - np.asarray(labels, dtype=np.float64) * z)


def average_precision(
    logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Σ (R_k − R_{k−1}) P_k over distinct scores, as scikit-learn defines it; NaN without frauds.

    ``weights`` counts each row so many times (the bootstrap's draws).
    """
    precision, recall = _curve(logits, labels, weights)
    return float((np.diff(recall, prepend=0.0) * precision).sum()) if len(recall) else float("nan")


def recall_at_precision(logits: ArrayLike, labels: ArrayLike, target: float) -> float:
    """The best recall among thresholds with at least this precision; NaN without frauds."""
    precision, recall = _curve(logits, labels, None)
    return float(recall[precision >= target].max(initial=0.0)) if len(recall) else float("nan")


def best_f1_threshold(logits: ArrayLike, labels: ArrayLike) -> float:
    """The score that, as a threshold, gives the largest F1; the first of equals from above."""
    scores = np.asarray(logits, dtype=np.float64)
    precision, recall = _curve(scores, labels, None)
    distinct = np.unique(scores)[::-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(distinct[int(f1.argmax())])


def group_draws(groups: ArrayLike, draws: int, seed: int) -> IntArray:
    """Bootstrap over groups (counterparties, accounts): each row's count in each draw.

    Returns int64[draws, n]; rows of one group are drawn together, as they stand or fall together.
    """
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    size = int(member.max()) + 1
    generator = np.random.default_rng(seed)
    return np.array(
        [generator.multinomial(size, np.full(size, 1 / size))[member] for _ in range(draws)],
        dtype=np.int64,
    )


def paired_difference(
    figure: Figure,
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    counts: IntArray,
) -> tuple[float, float, float]:
    """figure(first) − figure(second) with its 95 % bootstrap interval: (difference, low, high).

    ``figure`` takes (logits, labels, weights); ``counts`` are ``group_draws``.
    """
    ones = np.ones(counts.shape[1])
    difference = figure(first, labels, ones) - figure(second, labels, ones)
    drawn = [figure(first, labels, count) - figure(second, labels, count) for count in counts]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(difference), float(low), float(high)


def _curve(
    logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Precision and recall at each distinct score, highest first; empty without frauds."""
    scores = np.asarray(logits, dtype=np.float64)
    weight = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
    hit = weight * (np.asarray(labels) == 1)
    order = np.argsort(-scores, kind="stable")
    last_of_ties = (
        np.append(np.diff(scores[order]) != 0, True) if len(scores) else np.empty(0, bool)
    )
    hits = np.cumsum(hit[order])[last_of_ties]
    alerts = np.cumsum(weight[order])[last_of_ties]
    if not len(hits) or hits[-1] == 0:
        return np.empty(0), np.empty(0)
    return hits / np.maximum(alerts, 1e-300), hits / hits[-1]
