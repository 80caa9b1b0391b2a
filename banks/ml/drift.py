"""Whether what a model sees now is still what it was chosen on: counts by bin, and their PSI.

The population stability index Σ (q − p)·ln(q / p) compares the shares of two histograms on the
reference's own deciles. 0.1 (watch) and 0.25 (act) are the conventional bands. Without any drift it
is about χ²(bins − 1)·(1/n + 1/m) (Yurdakul & Naranjo 2020): few rows drift by chance alone, so a
shift is called one only beyond that noise, and where the noise reaches 0.1 nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import FloatArray, IntArray

BINS: Final = 10
WATCH, ACT = 0.1, 0.25
LEAST_ROWS, LEAST_DAYS = 500, 3
DRAWS: Final = 200
HALF: Final = 0.5  # a count for each bin, so that an empty one has a logarithm (Jeffreys)
Z_ONE_SIDED_95: Final = 1.6448536269514722

STABLE, WATCHED, ACTING, UNKNOWN = "stable", "watch", "act", "unknown"


@dataclass(frozen=True)
class Shift:
    """A PSI with its 95 % bootstrap interval over days; ``noise`` is what chance alone reaches."""

    psi: float | None
    low: float | None
    high: float | None
    noise: float | None
    rows: int
    days: int

    @property
    def band(self) -> str:
        """``stable``, ``watch``, ``act``, or ``unknown`` where too few rows could show a shift."""
        few = self.rows < LEAST_ROWS or self.days < LEAST_DAYS
        if few or self.psi is None or self.noise is None or self.noise >= WATCH:
            return UNKNOWN
        if self.psi < WATCH:
            return STABLE
        return ACTING if self.psi >= ACT and (self.low or 0.0) >= WATCH else WATCHED


def edges_of(values: ArrayLike, bins: int = BINS) -> FloatArray:
    """The inner edges of the reference's quantile bins, strictly rising; NaN is left out.

    A constant gets a bin of its own, so that any other value is seen.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return np.empty(0)
    cuts = np.unique(np.quantile(finite, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    lowest, highest = finite.min(), finite.max()
    if lowest == highest:
        return np.array([np.nextafter(lowest, -np.inf), lowest])
    return cuts[cuts < highest] if (cuts < highest).any() else np.array([lowest])


def counted(values: ArrayLike, edges: ArrayLike) -> IntArray:
    """Rows in each bin, int64[len(edges) + 2]: (−∞, e₀], (e₀, e₁] … (eₙ, ∞), and last missing."""
    found, cuts = np.asarray(values, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    missing = np.isnan(found)
    counts = np.zeros(len(cuts) + 2, dtype=np.int64)
    counts[:-1] = np.bincount(
        np.searchsorted(cuts, found[~missing], side="left"), minlength=len(cuts) + 1
    )
    counts[-1] = int(missing.sum())
    return counts


def psi(reference: ArrayLike, current: ArrayLike) -> FloatArray:
    """The index for histograms int64[…, bins]; bins that are empty on both sides say nothing."""
    expected, found = np.asarray(reference, np.float64), np.asarray(current, np.float64)
    used = np.broadcast_to(expected > 0, found.shape) | (found > 0)
    p, q = (np.where(used, counts + HALF, 0.0) for counts in (expected, found))
    p = p / np.maximum(p.sum(axis=-1, keepdims=True), HALF)
    q = q / np.maximum(q.sum(axis=-1, keepdims=True), HALF)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(used, (q - p) * np.log(q / p), 0.0)
    return np.asarray(terms.sum(axis=-1))


def noise_of(reference: int, current: int, bins: int) -> float | None:
    """The PSI that 95 in 100 comparisons without drift stay below; None without rows or bins.

    The χ² quantile is Wilson and Hilferty's (1931).
    """
    free = bins - 1
    if not reference or not current or free < 1:
        return None
    spread = 2 / (9 * free)
    quantile = free * (1 - spread + Z_ONE_SIDED_95 * math.sqrt(spread)) ** 3
    return float(quantile * (1 / reference + 1 / current))


def shift_of(reference: ArrayLike, days: ArrayLike, *, seed: int = 0) -> Shift:
    """Compare days, int64[D, bins], with the reference, int64[bins]."""
    expected = np.asarray(reference, dtype=np.int64)
    by_day = np.asarray(days, dtype=np.int64).reshape(-1, len(expected))
    by_day = by_day[by_day.sum(axis=1) > 0]
    total = by_day.sum(axis=0)
    rows, used = int(total.sum()), int(((expected + total) > 0).sum())
    noise = noise_of(int(expected.sum()), rows, used)
    if noise is None:  # one bin for all: no other value has come, where there are rows at all
        same = 0.0 if rows and expected.sum() else None
        return Shift(same, same, same, same, rows, len(by_day))
    low, high = _interval(expected, by_day, seed)
    return Shift(float(psi(expected, total)), low, high, noise, rows, len(by_day))


def _interval(
    expected: IntArray, by_day: NDArray[np.int64], seed: int
) -> tuple[float | None, float | None]:
    """Days are drawn whole: the rows of one day are alike."""
    count = len(by_day)
    if count < LEAST_DAYS:
        return None, None
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), DRAWS)
    low, high = np.quantile(psi(expected, drawn @ by_day), [0.025, 0.975])
    return float(low), float(high)


def decile_starts(histogram: ArrayLike, bins: int = BINS) -> NDArray[np.intp]:
    """Where about equal parts of a fine histogram begin, first 0: for ``np.add.reduceat``."""
    running = np.cumsum(np.asarray(histogram, dtype=np.int64))
    marks = np.searchsorted(running, running[-1] * np.arange(1, bins) / bins, side="left") + 1
    return np.unique(np.concatenate([[0], marks[marks < len(running)]])).astype(np.intp)


def merged(histograms: ArrayLike, starts: NDArray[np.intp]) -> IntArray:
    """Fine histograms int64[…, n] on the coarse bins that begin at ``starts``."""
    return np.asarray(np.add.reduceat(np.asarray(histograms, dtype=np.int64), starts, axis=-1))
