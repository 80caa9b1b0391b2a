"""Growing boosted trees from summed integer histograms: equal to pooled training, bit for bit.

Level by level the banks send, per open node, feature and bin, Σ gradient and Σ hessian of their
rows. Each row's two numbers are rounded to integers *before* anything is added, so the sums do not
know how the rows were divided. Only left children are sent; the right one is what remains of its
parent. Every level is one opening, which the model's card must say: trees disclose more than
weights do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.examples import Examples
from banks.ml.models.mlp import INITIAL_LOGIT
from banks.ml.models.trees import NOT_SPLIT, Bins, Forest, Trees, trees_spec
from banks.ml.piecewise import PiecewiseLinear
from banks.ml.ranking import log_losses, sigmoid
from banks.ml.sampling import row_keys, uniform
from banks.ml.summing import SCALE, Adder, from_fixed, plain_sum, to_fixed

LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class TreePlan:
    """How to grow; part of the manifest, so every number is an integer (ppm: per million)."""

    trees: int = 100
    depth: int = 6
    learning_rate_ppm: int = 100_000
    penalty_ppm: int = 2_000_000
    least_hessian_ppm: int = 5_000_000
    feature_share_ppm: int = 600_000
    patience: int = 15
    seed: int = 0

    def features_of(self, tree: int, used: NDArray[np.intp]) -> NDArray[np.intp]:
        """The features this tree may use: a share drawn from the public seed, ascending."""
        keys = row_keys([f"tree {tree} feature {feature}" for feature in used])
        count = max(1, round(len(used) * self.feature_share_ppm / 1_000_000))
        return np.sort(used[np.argsort(uniform(keys, self.seed), kind="stable")[:count]])


@dataclass(frozen=True, eq=False)
class Slots:
    """Where each of a tree's features has its bins in a histogram; ``starts`` ends with the sum."""

    features: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, features: NDArray[np.intp], encoder: PiecewiseLinear) -> Slots:
        """One slot per bin, bin 0 (missing) first."""
        sizes = [max(len(encoder.edges[feature]), 1) for feature in features]
        return cls(features, np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp))

    @property
    def total(self) -> int:
        return int(self.starts[-1])


@dataclass(frozen=True, eq=False)
class Splits:
    """One level's decisions, by node of the level; feature NOT_SPLIT where nothing is gained."""

    feature: NDArray[np.int16]
    cut: NDArray[np.int16]
    missing_right: NDArray[np.bool_]


@dataclass(eq=False)
class Grove:
    """One bank's rows while trees grow: bins [F, n], labels, present logits, place in the tree."""

    by_feature: Bins
    labels: NDArray[np.float32]
    offset: float
    logits: FloatArray
    places: NDArray[np.intp] = field(init=False)
    pulls: tuple[FloatArray, FloatArray] = field(init=False)

    @classmethod
    def plant(cls, examples: Examples, base: float) -> Grove:
        """``examples.inputs`` are bins (see ``prepare_bins``)."""
        return cls(
            by_feature=np.ascontiguousarray(np.asarray(examples.inputs, dtype=np.int16).T),
            labels=examples.labels,
            offset=examples.offset,
            logits=np.full(len(examples), base),
        )

    def begin_tree(self) -> None:
        """Gradients and hessians at the present logits, rounded to integers row by row."""
        p = sigmoid(self.logits + self.offset)
        self.pulls = (np.rint((p - self.labels) * SCALE), np.rint(p * (1 - p) * SCALE))
        self.places = np.zeros(len(self.labels), dtype=np.intp)

    def histogram(self, nodes: NDArray[np.intp], slots: Slots) -> IntArray:
        """Σ gradient and Σ hessian int64[nodes · slots · 2] of the rows in these nodes."""
        order = np.full(int(max(self.places.max(initial=0), nodes.max(initial=0))) + 1, -1)
        order[nodes] = np.arange(len(nodes))
        node = order[self.places]
        inside = np.flatnonzero(node >= 0)
        node = node[inside]
        pulls = [pull[inside] for pull in self.pulls]
        sums = np.zeros((len(nodes), slots.total, 2))
        for feature, start, end in zip(
            slots.features, slots.starts[:-1], slots.starts[1:], strict=True
        ):
            size = end - start
            where = node * size + self.by_feature[feature, inside]
            for kind, pull in enumerate(pulls):
                # Integers below 2^53 are exact in float64, whatever the order of adding.
                counted = np.bincount(where, pull, minlength=len(nodes) * size)
                sums[:, start:end, kind] = counted.reshape(len(nodes), size)
        return sums.astype(np.int64).ravel()

    def descend(self, splits: Splits) -> None:
        """Move every row to its child."""
        feature = splits.feature[self.places]
        found = self.by_feature[np.maximum(feature, 0), np.arange(len(feature))]
        right = np.where(
            found == 0, splits.missing_right[self.places], found > splits.cut[self.places]
        )
        self.places = 2 * self.places + (right & (feature != NOT_SPLIT))

    def finish_tree(self, values: FloatArray) -> None:
        """Add the finished tree's leaf values."""
        self.logits = self.logits + values[self.places]

    def loss(self) -> FloatArray:
        """Σ log-loss and rows, to be summed over banks."""
        losses = log_losses(self.logits + self.offset, self.labels)
        return np.array([losses.sum(), len(self.labels)])


def find_splits(sums: IntArray, slots: Slots, plan: TreePlan) -> tuple[Splits, FloatArray]:
    """The best split of each node from its sums [nodes, slots, 2], and each node's leaf value.

    Ties go to the lowest feature and cut, missing to the left first.
    """
    scaled = sums / SCALE
    first = slice(slots.starts[0], slots.starts[1])
    whole = scaled[:, first].sum(axis=1)
    best_gain = np.full(len(sums), LEAST_GAIN)
    feature = np.full(len(sums), NOT_SPLIT, dtype=np.int16)
    cut, missing_right = np.zeros(len(sums), dtype=np.int16), np.zeros(len(sums), dtype=np.bool_)
    for index, name in enumerate(slots.features):
        part = scaled[:, slots.starts[index] : slots.starts[index + 1]]
        if part.shape[1] < 2:
            continue
        present = np.cumsum(part[:, 1:], axis=1)
        for to_right in (False, True):
            left = present if to_right else present + part[:, :1]
            gain = _gain(left, whole, plan)
            chosen = gain.argmax(axis=1)
            better = gain[np.arange(len(gain)), chosen] > best_gain
            best_gain = np.where(better, gain[np.arange(len(gain)), chosen], best_gain)
            feature[better], cut[better] = name, chosen[better] + 1
            missing_right[better] = to_right
    return Splits(feature, cut, missing_right), _leaf_values(whole, plan)


def leaf_values(sums: IntArray, splits: Splits, slots: Slots, plan: TreePlan) -> FloatArray:
    """Values of the leaves below the last level, which its own sums already tell [2 · nodes]."""
    first = slice(slots.starts[0], slots.starts[1])
    whole = sums[:, first].sum(axis=1)
    left = whole.copy()  # a node that was not split sends everything left
    place = {int(feature): index for index, feature in enumerate(slots.features)}
    for node in np.flatnonzero(splits.feature != NOT_SPLIT):
        start = slots.starts[place[int(splits.feature[node])]]
        below = sums[node, start + 1 : start + 1 + splits.cut[node]].sum(axis=0)
        left[node] = below if splits.missing_right[node] else below + sums[node, start]
    leaves = np.stack([left, whole - left], axis=1).reshape(-1, 2)
    return _leaf_values(leaves / SCALE, plan)


def children_of(sums: IntArray, splits: Splits, lefts: IntArray | None) -> IntArray:
    """The next level's sums [2 · nodes, slots, 2] from the split nodes' left children."""
    children = np.zeros((2 * len(sums), *sums.shape[1:]), dtype=np.int64)
    children[0::2] = sums  # a node that was not split passes on whole
    parents = np.flatnonzero(splits.feature != NOT_SPLIT)
    if lefts is not None and len(parents):
        children[2 * parents] = lefts.reshape(len(parents), *sums.shape[1:])
        children[2 * parents + 1] = sums[parents] - children[2 * parents]
    return children


def _gain(left: FloatArray, whole: FloatArray, plan: TreePlan) -> FloatArray:
    penalty, least = plan.penalty_ppm / 1e6, plan.least_hessian_ppm / 1e6
    right = whole[:, None] - left

    def score(sums: FloatArray) -> FloatArray:
        return np.asarray(sums[..., 0] ** 2 / (sums[..., 1] + penalty))

    gain = score(left) + score(right) - score(whole)[:, None]
    return np.where((left[..., 1] >= least) & (right[..., 1] >= least), gain, 0.0)


def _leaf_values(whole: FloatArray, plan: TreePlan) -> FloatArray:
    rate, penalty = plan.learning_rate_ppm / 1e6, plan.penalty_ppm / 1e6
    return np.asarray(-rate * whole[:, 0] / (whole[:, 1] + penalty))


def grow_tree(
    groves: Sequence[Grove], slots: Slots, plan: TreePlan, add: Adder = plain_sum
) -> tuple[list[Splits], FloatArray]:
    """One tree, ``plan.depth`` sums: its levels of splits and its leaf values float64[2^depth]."""
    for grove in groves:
        grove.begin_tree()
    asked = np.zeros(1, dtype=np.intp)
    sums = add([grove.histogram(asked, slots) for grove in groves]).reshape(1, slots.total, 2)
    levels: list[Splits] = []
    for level in range(plan.depth):
        splits, _ = find_splits(sums, slots, plan)
        levels.append(splits)
        for grove in groves:
            grove.descend(splits)
        if level == plan.depth - 1:
            break
        parents = np.flatnonzero(splits.feature != NOT_SPLIT)
        asked = 2 * parents
        lefts = add([grove.histogram(asked, slots) for grove in groves]) if len(parents) else None
        sums = children_of(sums, splits, lefts)
    values = leaf_values(sums, splits, slots, plan)
    for grove in groves:
        grove.finish_tree(values)
    return levels, values


def fit_trees(
    features: tuple[str, ...],
    encoder: PiecewiseLinear,
    banks: Sequence[Examples],
    validation: Sequence[Examples],
    plan: TreePlan,
    *,
    base: float = INITIAL_LOGIT,
    add: Adder = plain_sum,
    progress: Callable[[int, int], None] | None = None,
) -> Trees:
    """Boost until ``plan.trees`` or until the summed validation loss has stopped falling.

    ``banks`` and ``validation`` hold bins (``prepare_bins``); one bank is training alone.
    """
    groves = [Grove.plant(examples, base) for examples in banks]
    watched = [Grove.plant(examples, base) for examples in validation]
    grown: list[tuple[list[Splits], FloatArray]] = []
    best, best_loss = 0, np.inf
    for tree in range(plan.trees):
        slots = Slots.of(plan.features_of(tree, encoder.used), encoder)
        levels, values = grow_tree(groves, slots, plan, add)
        grown.append((levels, values))
        loss = _validation_loss(watched, levels, values, add)
        if loss < best_loss:
            best, best_loss = tree + 1, loss
        if progress:
            progress(tree + 1, plan.trees)
        if tree + 1 - best >= plan.patience:
            break
    forest = forest_of(grown[: max(best, 1)] if watched else grown, base)
    return Trees(trees_spec(features, encoder), encoder, forest)


def _validation_loss(
    watched: Sequence[Grove], levels: list[Splits], values: FloatArray, add: Adder
) -> float:
    if not watched:
        return 0.0
    for grove in watched:
        grove.places = np.zeros(len(grove.labels), dtype=np.intp)
        for splits in levels:
            grove.descend(splits)
        grove.finish_tree(values)
    loss, rows = from_fixed(add([to_fixed(grove.loss()) for grove in watched]))
    return float(loss / rows)


def forest_of(grown: Sequence[tuple[list[Splits], FloatArray]], base: float) -> Forest:
    """The grown trees, each its levels and its leaves, as one forest."""
    return Forest(
        feature=np.array([np.concatenate([s.feature for s in levels]) for levels, _ in grown]),
        cut=np.array([np.concatenate([s.cut for s in levels]) for levels, _ in grown]),
        missing_right=np.array(
            [np.concatenate([s.missing_right for s in levels]) for levels, _ in grown]
        ),
        value=np.array([values for _, values in grown]),
        base=base,
    )
