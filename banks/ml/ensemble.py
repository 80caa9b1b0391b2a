"""The bank's own model beside the consortium's: a mean of logits with a cautious weight.

A bank has few frauds to choose a weight by, and a weight chosen on few frauds chooses badly. So the
own model joins only if the gain in log-loss is beyond its interval, and then with a weight shrunk
towards 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray
from banks.ml.ranking import log_losses

CANDIDATES = np.arange(11) / 10
PRIOR_FRAUDS = 100
Z_ONE_SIDED_95 = 1.6448536269514722


@dataclass(frozen=True)
class OwnWeight:
    """The own model's weight in [0, 1], what was best on validation, and the gain it rests on.

    ``gain`` is the mean fall of log-loss in nats a row at ``best``, ``gain_low`` its lower bound.
    """

    weight: float
    best: float
    gain: float
    gain_low: float
    frauds: int


def combine(own: ArrayLike, consortium: ArrayLike, weight: float) -> FloatArray:
    """weight · own + (1 − weight) · consortium, as logits."""
    first, second = np.asarray(own, dtype=np.float64), np.asarray(consortium, dtype=np.float64)
    return weight * first + (1.0 - weight) * second


def choose_own_weight(own: ArrayLike, consortium: ArrayLike, labels: ArrayLike) -> OwnWeight:
    """Choose on the bank's validation window; rows with label −1 are left out."""
    y = np.asarray(labels)
    known = y >= 0
    first, second, y = np.asarray(own)[known], np.asarray(consortium)[known], y[known]
    frauds = int((y == 1).sum())
    if not len(y):
        return OwnWeight(0.0, 0.0, 0.0, 0.0, 0)
    losses = [log_losses(combine(first, second, weight), y) for weight in CANDIDATES]
    best = int(np.argmin([loss.mean() for loss in losses]))
    gains = losses[0] - losses[best]
    gain = float(gains.mean())
    low = gain - Z_ONE_SIDED_95 * float(gains.std()) / np.sqrt(len(y))
    shrunk = CANDIDATES[best] * frauds / (frauds + PRIOR_FRAUDS) if low > 0 else 0.0
    return OwnWeight(float(shrunk), float(CANDIDATES[best]), gain, float(low), frauds)
