"""Gradient-boosted trees on shared bins, scored and explained with numpy.

Trees are complete and stored as heaps. An inner node sends bins above its cut to the right and
missing values (bin 0) where it learned to; a node that was not split sends everything left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import Arrays, Encoder, FloatArray
from banks.ml.models.spec import ModelSpec
from banks.ml.piecewise import PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop

MAX_DEPTH = 8
NOT_SPLIT = -1
ROWS_AT_ONCE = 4096
FEW_ROWS = 16
Bins = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Forest:
    """T trees of equal depth: ``feature``, ``cut`` and ``missing_right`` [T, 2^depth − 1] for inner
    nodes in heap order, ``value`` [T, 2^depth] for leaves, and the logit all start from.
    """

    feature: NDArray[np.int16]
    cut: NDArray[np.int16]
    missing_right: NDArray[np.bool_]
    value: NDArray[np.float64]
    base: float

    @property
    def depth(self) -> int:
        return int(self.value.shape[1]).bit_length() - 1

    def logits(self, bins: Bins) -> FloatArray:
        """Sum over the trees, float64[n], for bins [n, F]."""
        if len(bins) <= FEW_ROWS:
            return np.array([self._row_logit(row) for row in bins])
        parts = [
            self._leaf_values(bins[start : start + ROWS_AT_ONCE])
            for start in range(0, len(bins), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def goes_right(self, bins: Bins) -> NDArray[np.bool_]:
        """Every inner node's decision about one row [F], bool[T, 2^depth − 1]."""
        found = bins[np.maximum(self.feature, 0)]
        right = np.where(found == 0, self.missing_right, found > self.cut)
        return np.asarray(right & (self.feature != NOT_SPLIT))

    def _row_logit(self, row: Bins) -> float:
        """One row through all trees at once, added in the same order as many rows are."""
        right = self.goes_right(row)
        trees = np.arange(len(right))
        node = np.zeros(len(right), dtype=np.intp)
        for _ in range(self.depth):
            node = 2 * node + 1 + right[trees, node]
        values = self.value[trees, node - right.shape[1]]
        return float(np.cumsum(np.append(self.base, values))[-1])

    def _leaf_values(self, bins: Bins) -> FloatArray:
        trees, inner = self.feature.shape
        columns = self._columns(bins)
        rows = np.arange(len(bins))
        total = np.full(len(bins), self.base)
        for tree in range(trees):
            right = columns[self._lookup[tree]] > self.cut[tree][:, None]
            node = np.zeros(len(bins), dtype=np.intp)
            for _ in range(self.depth):
                node = 2 * node + 1 + right[node, rows]
            total += self.value[tree][node - inner]
        return total

    @cached_property
    def _lookup(self) -> NDArray[np.intp]:
        """Each node's row in ``_columns``."""
        features = int(self.feature.max(initial=0)) + 1
        split = self.feature.astype(np.intp) + np.where(self.missing_right, features, 0)
        return np.where(self.feature == NOT_SPLIT, 2 * features, split)

    def _columns(self, bins: Bins) -> Bins:
        """Bins by feature with missing lowest, again with missing highest, and a row of zeros."""
        features = int(self.feature.max(initial=0)) + 1
        low = np.ascontiguousarray(bins[:, :features].T)
        high = np.where(low == 0, np.int16(np.iinfo(np.int16).max), low)
        return np.vstack([low, high, np.full((1, len(bins)), -1, dtype=np.int16)])


@dataclass(frozen=True, eq=False)
class Trees:
    """A boosted forest behind the encoding whose edges are its bins."""

    spec: ModelSpec
    encoder: PiecewiseLinear
    forest: Forest

    family: ClassVar[str] = "trees"

    @classmethod
    def from_arrays(cls, spec: ModelSpec, encoder: Encoder, arrays: Arrays) -> Trees:
        """Inverse of ``arrays``; raises Refused when they do not fit each other."""
        feature = np.asarray(arrays["feature"], dtype=np.int16)
        value = np.asarray(arrays["value"], dtype=np.float64)
        cut = np.asarray(arrays["cut"], dtype=np.int16)
        missing_right = np.asarray(arrays["missing_right"], dtype=np.bool_)
        inner = feature.shape[-1]
        if (
            feature.ndim != 2
            or not feature.shape == cut.shape == missing_right.shape
            or value.shape != (len(feature), inner + 1)
            or inner + 1 not in {1 << depth for depth in range(1, MAX_DEPTH + 1)}
            or feature.min(initial=0) < NOT_SPLIT
            or feature.max(initial=0) >= len(spec.features)
            or np.asarray(arrays["base"]).shape != (1,)
            or not isinstance(encoder, PiecewiseLinear)
        ):
            raise Refused("trees", gettext_noop("The model's trees do not fit each other."))
        base = float(np.asarray(arrays["base"])[0])
        return cls(spec, encoder, Forest(feature, cut, missing_right, value, base))

    @property
    def features(self) -> tuple[str, ...]:
        return self.spec.features

    def logits(self, X: ArrayLike) -> FloatArray:
        return self.forest.logits(self.encoder.bins(X))

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Exact Shapley values against one background row (Lundberg et al. 2020, interventional).

        A leaf pays out only to mixtures of the two rows that reach it; its value is shared among
        the features on which the rows part ways.
        """
        typical, row = self.encoder.bins(np.vstack([background, x]))
        with_x, with_typical = (self._agreement(bins) for bins in (row, typical))
        features, first = self._path_features, self._first_on_path
        only_x = with_x & ~with_typical & first
        only_typical = with_typical & ~with_x & first
        reachable = (with_x | with_typical).all(axis=2)
        a, b = only_x.sum(axis=2), only_typical.sum(axis=2)
        value = np.where(reachable, self.forest.value, 0.0)
        gains = value * _SHARES[a, b]
        losses = value * _SHARES[b, a]
        paid = only_x * gains[:, :, None] - only_typical * losses[:, :, None]
        shares = np.bincount(
            np.maximum(features, 0).ravel(), paid.ravel(), minlength=len(self.features)
        )
        return shares.astype(np.float64)

    def arrays(self) -> Arrays:
        return {
            "feature": self.forest.feature,
            "cut": self.forest.cut,
            "missing_right": self.forest.missing_right.astype(np.uint8),
            "value": self.forest.value,
            "base": np.array([self.forest.base]),
        }

    @cached_property
    def _paths(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For each leaf the inner nodes above it, and if it lies to their right; [L, depth]."""
        depth = self.forest.depth
        leaves = np.arange(1 << depth)[:, None]
        levels = np.arange(depth)
        nodes = (1 << levels) - 1 + (leaves >> (depth - levels))
        right = (leaves >> (depth - levels - 1)) & 1
        return nodes, right.astype(np.bool_)

    @cached_property
    def _path_features(self) -> NDArray[np.int16]:
        return self.forest.feature[:, self._paths[0]]

    @cached_property
    def _same_feature(self) -> NDArray[np.bool_]:
        features = self._path_features
        return np.asarray(features[:, :, :, None] == features[:, :, None, :])

    @cached_property
    def _first_on_path(self) -> NDArray[np.bool_]:
        earlier = np.tril(np.ones((self.forest.depth,) * 2, dtype=np.bool_), -1)
        return np.asarray(~(self._same_feature & earlier).any(axis=3))

    def _agreement(self, bins: Bins) -> NDArray[np.bool_]:
        """Per leaf and node above it: does the row's feature meet all the path asks of it?"""
        nodes, right = self._paths
        agrees = self.forest.goes_right(bins)[:, nodes] == right
        return np.asarray((agrees[:, :, None, :] | ~self._same_feature).all(axis=3))


def trees_spec(features: tuple[str, ...], encoder: PiecewiseLinear) -> ModelSpec:
    """Boosted trees on the bins of this encoding."""
    return ModelSpec("trees", tuple(features), inputs=encoder.width)


def _shapley_shares() -> FloatArray:
    """(a − 1)! b! / (a + b)!: what each of a features gains from b others; 0 for a = 0."""
    size = MAX_DEPTH + 1
    shares = np.zeros((size, size))
    for a in range(1, size):
        for b in range(size):
            shares[a, b] = math.factorial(a - 1) * math.factorial(b) / math.factorial(a + b)
    return shares


_SHARES = _shapley_shares()
