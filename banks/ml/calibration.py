"""Probabilities that people are shown, from a bank's own validation window.

Ranking and alerts stay on the uncalibrated logit: isotonic regression has ties, and ties cost
average precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray
from banks.ml.ranking import sigmoid
from consortium.protocol.errors import Refused, gettext_noop

ROUNDS = 25
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + e^−(slope · logit + shift)) (Platt 1999)."""

    slope: float = 1.0
    shift: float = 0.0

    def probabilities(self, logits: ArrayLike) -> FloatArray:
        """Calibrated probabilities float64[n]."""
        return sigmoid(self.slope * np.asarray(logits, dtype=np.float64) + self.shift)


@dataclass(frozen=True, eq=False)
class Isotonic:
    """A step-free rising line through the pooled blocks of isotonic regression."""

    at: FloatArray
    rises_to: FloatArray

    def probabilities(self, logits: ArrayLike) -> FloatArray:
        """Calibrated probabilities float64[n]; constant beyond the ends."""
        return np.interp(np.asarray(logits, dtype=np.float64), self.at, self.rises_to)


def fit_platt(logits: ArrayLike, labels: ArrayLike) -> Platt:
    """Maximum likelihood with Platt's softened targets; raises Refused for one class only."""
    z, y = _labelled(logits, labels)
    frauds = y.sum()
    target = np.where(y == 1, (frauds + 1) / (frauds + 2), 1 / (len(y) - frauds + 2))
    inputs = np.column_stack([z, np.ones(len(z))])
    weights = np.array([1.0, 0.0])
    for _ in range(ROUNDS):
        p = sigmoid(inputs @ weights)
        gradient = inputs.T @ (p - target)
        hessian = (inputs * (p * (1 - p))[:, None]).T @ inputs + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return Platt(slope=float(weights[0]), shift=float(weights[1]))


def fit_isotonic(logits: ArrayLike, labels: ArrayLike) -> Isotonic:
    """Isotonic regression of the labels on the logits; raises Refused for one class only."""
    from sklearn.isotonic import IsotonicRegression

    z, y = _labelled(logits, labels)
    model = IsotonicRegression(out_of_bounds="clip").fit(z, y)
    return Isotonic(np.asarray(model.X_thresholds_), np.asarray(model.y_thresholds_))


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean |observed − predicted| over ten equally filled bins (Naeini et al. 2015)."""
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, CALIBRATION_BINS)
    gaps = [abs(y[part].mean() - p[part].mean()) * len(part) for part in parts if len(part)]
    return float(sum(gaps) / max(len(p), 1))


def _labelled(logits: ArrayLike, labels: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y = np.asarray(labels)
    z, known = np.asarray(logits, dtype=np.float64)[y >= 0], y[y >= 0].astype(np.float64)
    if not 0 < known.sum() < len(known):
        raise Refused(
            "one_class",
            gettext_noop("Calibration needs fraudulent and genuine transactions in the window."),
        )
    return z, known
