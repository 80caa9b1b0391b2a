"""Membership inference by likelihood ratios: LiRA, online (Carlini et al. 2022).

Shadow models are trained on random halves of the same rows. For each of them in turn the others
say how its logit of a row is distributed when the row was learned from and when it was not; how
well the ratio tells the two apart is the leakage. 0.5 is guessing. An attack on the mean loss
nearly misses even a model that learned its rows by heart, so it is not used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import FloatArray
from banks.ml.intervals import percentile_interval
from consortium.intervals import Interval

SHADOWS = 16
DRAWS = 200
LEAST_DEVIATION = 1e-3

Mask = NDArray[np.bool_]
Fit = Callable[[Mask, int], FloatArray]
"""From the rows to learn from (and a seed) to logits of all rows."""


@dataclass(frozen=True)
class Leakage:
    """How well members are told from others among some rows."""

    auc: float
    interval: Interval
    rows: int


def halves(rows: int, shadows: int, seed: int) -> Mask:
    """Who learns from what, bool[shadows, rows]: each row is in exactly half of the shadows."""
    order = np.random.default_rng(seed).random((shadows, rows)).argsort(axis=0)
    return np.asarray(order < shadows // 2)


def ratios(logits: FloatArray, member: Mask) -> FloatArray:
    """log p(logit | learned from) − log p(logit | not), each model judged by all the others.

    Both are [shadows, rows]. Variances are shared over the rows: sixteen models give too few
    numbers a row for one of its own.
    """
    sides = []
    for inside in (member, ~member):
        count = inside.sum(axis=0) - inside
        mean = ((logits * inside).sum(axis=0) - logits * inside) / np.maximum(count, 1)
        around = np.where(inside, logits - mean, 0.0)
        shrink = np.where(count > 0, count / (count + 1), 1.0)  # a mean without the model itself
        variance = (around**2 * shrink).sum() / max(int(inside.sum()), 1)
        sides.append((mean, max(float(np.sqrt(variance)), LEAST_DEVIATION)))
    (mean_in, sd_in), (mean_out, sd_out) = sides
    log_in = -0.5 * ((logits - mean_in) / sd_in) ** 2 - np.log(sd_in)
    log_out = -0.5 * ((logits - mean_out) / sd_out) ** 2 - np.log(sd_out)
    return np.asarray(log_in - log_out)


def shadow_logits(fit: Fit, member: Mask, seed: int) -> FloatArray:
    """One model a row of ``member``; logits [shadows, rows]."""
    return np.array([fit(learned, seed + place) for place, learned in enumerate(member)])


def leakage(scores: FloatArray, member: Mask, rows: Mask, seed: int = 0) -> Leakage | None:
    """Area under the ROC over some rows, drawn by row for its interval; None without rows."""
    places = np.flatnonzero(rows)
    if not len(places):
        return None
    generator = np.random.default_rng(seed)
    drawn = [
        _auc(scores[:, chosen], member[:, chosen])
        for chosen in (generator.choice(places, len(places)) for _ in range(DRAWS))
    ]
    auc = _auc(scores[:, places], member[:, places])
    return Leakage(auc, percentile_interval(np.array(drawn)), len(places))


def _auc(scores: FloatArray, member: Mask) -> float:
    """Mann–Whitney: how often a member's score is above another's, ties by half."""
    values, positive = scores.ravel(), member.ravel()
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    members = int(positive.sum())
    others = len(positive) - members
    if not members or not others:
        return 0.5
    return float((ranks[positive].sum() - members * (members + 1) / 2) / (members * others))
