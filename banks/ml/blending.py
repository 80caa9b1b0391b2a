"""How much weight each of two models gets in a blend: half, unless summed losses clearly differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import IntArray
from banks.ml.ensemble import CANDIDATES, Z_ONE_SIDED_95, combine
from banks.ml.ranking import log_losses
from banks.ml.summing import from_fixed, to_fixed

HALF = len(CANDIDATES) // 2


def blend_losses(first: ArrayLike, second: ArrayLike, labels: ArrayLike) -> IntArray:
    """One bank's vector: per candidate weight Σ gain over one half and Σ gain², then its rows.

    ``first`` and ``second`` are logits on the validation window; label −1 is left out.
    Returns int64[2 · candidates + 1] in fixed point, to be summed over banks.
    """
    y = np.asarray(labels)
    known = y >= 0
    one, two, y = np.asarray(first)[known], np.asarray(second)[known], y[known]
    losses = [log_losses(combine(one, two, weight), y) for weight in CANDIDATES]
    gains = np.array([losses[HALF] - loss for loss in losses])
    return to_fixed(np.concatenate([gains.sum(axis=1), (gains**2).sum(axis=1), [len(y)]]))


def blend_weight(sums: IntArray) -> float:
    """The first model's weight: the best candidate if its gain is beyond its interval, else ½."""
    values = from_fixed(sums)
    count = len(CANDIDATES)
    rows = max(values[-1], 1.0)
    gains, squares = values[:count] / rows, values[count : 2 * count] / rows
    best = int(gains.argmax())
    spread = np.sqrt(max(squares[best] - gains[best] ** 2, 0.0) / rows)
    clear = gains[best] > Z_ONE_SIDED_95 * spread
    return float(CANDIDATES[best]) if clear else float(CANDIDATES[HALF])
