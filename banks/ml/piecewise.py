"""Piecewise-linear encoding with edges cut where the classes differ (Gorishniy et al. 2022).

All banks count their training rows per feature, class and cell of one public grid; only the sum of
those integer histograms is opened, and everyone cuts the same edges from it. A logistic regression
on this encoding is one piecewise-linear curve per feature.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import Arrays, FloatArray, IntArray, as_matrix, compress
from consortium.protocol.errors import Refused, gettext_noop

CELLS = 2048
GRID_LIMIT = 16.0
CELL_WIDTH = 2 * GRID_LIMIT / CELLS
ROWS_AT_ONCE = 4096
FEW_ROWS = 16
MISSING = CELLS  # the last column of a histogram counts missing values


@dataclass(frozen=True)
class EdgePolicy:
    """How edges are cut; the gains are in nats of log-loss and work as significance bounds.

    A split with at least ``step_gain`` gets a second edge one cell below, so that the curve can
    jump there. Features whose gains sum to less than ``least_share_ppm`` of the class entropy are
    dropped, but the best ``least_features`` always stay.
    """

    splits: int = 8
    least_rows: int = 30
    least_gain: float = 10.0
    step_gain: float = 30.0
    least_share_ppm: int = 15_500
    least_features: int = 10


def cells(X: ArrayLike) -> NDArray[np.int16]:
    """The grid cell of each value, MISSING where there is none; out of range is the end cell."""
    z = compress(as_matrix(X))
    position = np.clip(np.floor((z + GRID_LIMIT) / CELL_WIDTH), 0, CELLS - 1)
    return np.where(np.isnan(z), MISSING, position).astype(np.int16)


def class_histograms(X: ArrayLike, labels: ArrayLike) -> IntArray:
    """One bank's counts per feature, class and cell, int64[F, 2, CELLS + 1]; summed over banks."""
    positions, classes = cells(X), np.asarray(labels)
    return np.array(
        [
            [np.bincount(column[classes == label], minlength=CELLS + 1) for label in (0, 1)]
            for column in positions.T
        ],
        dtype=np.int64,
    ).reshape(positions.shape[1], 2, CELLS + 1)


def coarser(hist: IntArray, width: int) -> IntArray:
    """The same counts with ``width`` cells of the grid in one; missing values stay apart."""
    wide = hist[:, :, :CELLS].reshape(*hist.shape[:2], CELLS // width, width).sum(axis=3)
    return np.concatenate([wide, hist[:, :, CELLS:]], axis=2)


@dataclass(frozen=True, eq=False)
class PiecewiseLinear:
    """Each feature as its position between neighbouring edges, each clipped to [0, 1].

    ``edges`` holds per feature the ascending cell boundaries (0 … CELLS); a feature with fewer than
    two has no inputs. ``indicators`` marks features with an input that says "missing".
    """

    edges: tuple[NDArray[np.int16], ...]
    indicators: NDArray[np.bool_]

    kind: ClassVar[str] = "piecewise"

    @classmethod
    def from_histograms(cls, hist: IntArray, policy: EdgePolicy | None = None) -> PiecewiseLinear:
        """Cut edges from the summed ``class_histograms``, whole or ``coarser``.

        Raises Refused without both classes.
        """
        chosen = policy or EdgePolicy()
        cells_counted = hist.shape[-1] - 1
        if hist.ndim != 3 or hist.shape[1] != 2 or CELLS % cells_counted or (hist < 0).any():
            raise Refused(
                "class_histograms",
                gettext_noop("The class histograms are impossible; the round must be repeated."),
            )
        genuine, frauds = hist[0].sum(axis=1)
        if not genuine or not frauds:
            raise Refused(
                "one_class",
                gettext_noop("The banks together need fraudulent and genuine transactions."),
            )
        cuts = [greedy_edges(feature[:, :-1], policy=chosen) for feature in hist]
        kept = _informative([gain for _, gain in cuts], -_information(genuine, frauds), chosen)
        width = np.int16(CELLS // cells_counted)
        edges = [
            found * width if keep else found[:0]
            for (found, _), keep in zip(cuts, kept, strict=True)
        ]
        missing = hist[:, :, -1].sum(axis=1) > 0
        return cls(edges=tuple(edges), indicators=missing & kept)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PiecewiseLinear:
        """Inverse of ``arrays``."""
        edges, counts = np.asarray(arrays["edges"]), np.asarray(arrays["counts"])
        indicators = np.asarray(arrays["indicators"])
        parts = np.split(edges.astype(np.int16), np.cumsum(counts)[:-1])
        if (
            counts.shape != indicators.shape
            or (counts < 0).any()
            or counts.sum() != len(edges)
            or not all((np.diff(part) > 0).all() for part in parts)
            or (len(edges) and not 0 <= edges.min() <= edges.max() <= CELLS)
        ):
            raise Refused("encoder_arrays", gettext_noop("The encoding's arrays do not fit."))
        return cls(edges=tuple(parts), indicators=indicators.astype(np.bool_))

    @property
    def width(self) -> int:
        return len(self.sources)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        ramps = [max(len(edges) - 1, 0) for edges in self.edges]
        each = np.array(ramps) + self.indicators
        return np.repeat(np.arange(len(self.edges)), each)

    @cached_property
    def knots(self) -> list[FloatArray]:
        """Edges per feature on the compressed scale."""
        return [edges.astype(np.float64) * CELL_WIDTH - GRID_LIMIT for edges in self.edges]

    @cached_property
    def used(self) -> NDArray[np.intp]:
        """Indices of the features that have any input."""
        return np.unique(self.sources)

    def encode(self, X: ArrayLike) -> NDArray[np.float32]:
        matrix = as_matrix(X, len(self.edges))
        inputs = np.empty((len(matrix), self.width), dtype=np.float32)
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            inputs[part] = self._inputs(matrix[part])
        return inputs

    def project(self, X: ArrayLike, weights: FloatArray) -> FloatArray:
        """encode(X) @ weights; many rows are looked up feature by feature on the curves."""
        matrix = as_matrix(X, len(self.edges))
        if len(matrix) <= FEW_ROWS:
            return np.asarray(self._inputs(matrix) @ weights)
        return self.along_curves(matrix, weights)

    def along_curves(self, X: ArrayLike, weights: FloatArray) -> FloatArray:
        """The same, with the same bits for a row whatever rows are beside it."""
        matrix = as_matrix(X, len(self.edges))
        total = np.zeros(len(matrix))
        for feature, values, missing in self.curves(weights):
            z = compress(matrix[:, feature])
            curve = np.interp(z, self.knots[feature], values) if len(values) else np.zeros(len(z))
            total += np.where(np.isnan(z), missing, curve)
        return total

    def _inputs(self, matrix: FloatArray) -> FloatArray:
        z = compress(matrix)
        missing = np.isnan(z)
        z[missing] = -np.inf
        low, width, is_indicator = self.ramps
        inputs = np.clip((z[:, self.sources] - low) / width, 0.0, 1.0)
        inputs[:, is_indicator] = missing[:, self.sources[is_indicator]]
        return np.asarray(inputs)

    @cached_property
    def ramps(self) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """For each input its lower edge and width, and whether it is an indicator instead."""
        low, width = np.zeros(self.width), np.ones(self.width)
        is_indicator: list[bool] = []
        for feature in self.used:
            start = len(is_indicator)
            knots = self.knots[feature]
            ramps = max(len(knots) - 1, 0)
            low[start : start + ramps], width[start : start + ramps] = knots[:-1], np.diff(knots)
            is_indicator += [False] * ramps + [True] * int(self.indicators[feature])
        return low, width, np.array(is_indicator, dtype=np.bool_)

    def curves(self, weights: FloatArray) -> list[tuple[int, FloatArray, float]]:
        """Per used feature: its index, the curve's value at each knot, and its value if missing."""
        found = []
        start = 0
        for feature in self.used:
            ramps = max(len(self.edges[feature]) - 1, 0)
            own = weights[start : start + ramps]
            start += ramps
            missing = 0.0
            if self.indicators[feature]:
                missing = float(weights[start])
                start += 1
            values = np.concatenate([[0.0], np.cumsum(own)]) if ramps else np.empty(0)
            found.append((int(feature), values, missing))
        return found

    def bins(self, X: ArrayLike) -> NDArray[np.int16]:
        """Per feature 1 + the number of inner edges at or below the value's cell; missing is 0.

        The bins of ``banks.ml.models.trees``: one set of edges serves every family.
        """
        positions = cells(X)
        found = np.zeros(positions.shape, dtype=np.int16)
        if len(positions) <= FEW_ROWS:
            column = positions[:, self.used]
            above = 1 + (column[:, :, None] >= self._inner_edges).sum(axis=2)
            found[:, self.used] = np.where(column == MISSING, 0, above)
            return found
        for feature in self.used:
            column = positions[:, feature]
            above = np.searchsorted(self.edges[feature][1:-1], column, side="right") + 1
            found[:, feature] = np.where(column == MISSING, 0, above)
        return found

    @cached_property
    def _inner_edges(self) -> NDArray[np.int16]:
        """Inner edges of the used features, filled up with a cell that no value reaches."""
        inner = [self.edges[feature][1:-1] for feature in self.used]
        table = np.full((len(inner), max(map(len, inner), default=0)), MISSING + 1, dtype=np.int16)
        for row, edges in zip(table, inner, strict=True):
            row[: len(edges)] = edges
        return table

    def arrays(self) -> Arrays:
        return {
            "edges": np.concatenate(self.edges).astype(np.int16),
            "counts": np.array([len(edges) for edges in self.edges], dtype=np.int16),
            "indicators": self.indicators.astype(np.uint8),
        }


def greedy_edges(hist: IntArray, *, policy: EdgePolicy) -> tuple[NDArray[np.int16], float]:
    """Edges of one feature [2, CELLS] and the log-loss its splits save, best split first."""
    occupied = np.flatnonzero(hist.sum(axis=0))
    if not len(occupied):
        return np.empty(0, dtype=np.int16), 0.0
    below = np.concatenate([np.zeros((2, 1), dtype=np.int64), np.cumsum(hist, axis=1)], axis=1)
    first, last = int(occupied[0]), int(occupied[-1]) + 1
    edges = {first, last}
    total = 0.0
    waiting = [_best_split(below, first, last, policy)]
    for _ in range(policy.splits):
        loss, cut, start, end = heapq.heappop(waiting)
        if -loss < policy.least_gain:
            break
        total -= loss
        edges.add(cut)
        if -loss >= policy.step_gain:
            edges.add(cut - 1)
        heapq.heappush(waiting, _best_split(below, start, cut, policy))
        heapq.heappush(waiting, _best_split(below, cut, end, policy))
    return np.array(sorted(edges), dtype=np.int16), total


def _best_split(
    below: IntArray, start: int, end: int, policy: EdgePolicy
) -> tuple[float, int, int, int]:
    """(−gain, cut, start, end) of the best cut strictly inside [start, end); ties to the lowest."""
    cuts = np.arange(start + 1, end)
    left = below[:, cuts] - below[:, [start]]
    right = below[:, [end]] - below[:, cuts]
    allowed = np.minimum(left.sum(axis=0), right.sum(axis=0)) >= policy.least_rows
    if not allowed.any():
        return 0.0, start, start, end
    whole = below[:, end] - below[:, start]
    gain = _information(*left) + _information(*right) - _information(*whole)
    rounded = np.where(allowed, np.round(gain, 6), 0.0)  # beyond the last digits of any log
    best = int(rounded.argmax())
    return -float(rounded[best]), int(cuts[best]), start, end


def _information(genuine: ArrayLike, frauds: ArrayLike) -> FloatArray:
    """Log-likelihood of the labels under their own rate, in nats (never positive)."""
    n0, n1 = np.asarray(genuine, dtype=np.float64), np.asarray(frauds, dtype=np.float64)
    return np.asarray(_n_log_n(n0) + _n_log_n(n1) - _n_log_n(n0 + n1))


def _n_log_n(counts: FloatArray) -> FloatArray:
    return counts * np.log(np.maximum(counts, 1.0))


def _informative(
    gains: Sequence[float], entropy: FloatArray, policy: EdgePolicy
) -> NDArray[np.bool_]:
    ranked = np.argsort(-np.asarray(gains), kind="stable")
    kept = np.asarray(gains) >= policy.least_share_ppm / 1e6 * float(entropy)
    kept[ranked[: policy.least_features]] = True
    return kept
