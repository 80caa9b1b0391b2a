"""Boosted trees: edges, then one sum for each level of each tree.

A level's sum holds gradients and hessians of the left children of the nodes that were split; the
first of a tree also the validation loss of the trees before it, which ends the run in time. Leaves
need no sum of their own. The course is equal to ``banks.ml.boosting.fit_trees`` over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from banks.ml.boosting import (
    Grove,
    Slots,
    children_of,
    find_splits,
    forest_of,
    leaf_values,
)
from banks.ml.courses import edges
from banks.ml.courses.base import Opened, Own, State
from banks.ml.courses.edges import Edges
from banks.ml.courses.growth import Growth
from banks.ml.courses.plans import ForestPlan
from banks.ml.encoding import IntArray
from banks.ml.models.base import Model
from banks.ml.models.trees import NOT_SPLIT, Trees, trees_spec
from banks.ml.summing import from_fixed, to_fixed
from consortium.protocol.spec import Step

NAME = "splits"
BITS = 56
LOSS = 2  # Σ validation loss and rows, at the end of a tree's first sum


@dataclass(frozen=True)
class ForestCourse:
    features: tuple[str, ...]
    plan: ForestPlan

    def begin(self, seed: int) -> State:
        step = edges.step(len(self.features), self.plan.cells, self.sums)
        return State(step)

    @property
    def sums(self) -> int:
        """Sums after the edges, at most: one a level, and the last loss."""
        return self.plan.trees * self.plan.depth + 1

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name == edges.NAME:
            return edges.vector(own, self.plan.cells)
        cut, growth = Edges.of(state), Growth.of(state)
        histogram = np.empty(0, dtype=np.int64)
        if len(growth.trees) < self.plan.trees:
            grove = _planted(cut, growth, own)
            histogram = grove.histogram(growth.asked, self._slots(cut, growth))
        return histogram if growth.levels else np.append(histogram, _loss(cut, growth, own))

    def advance(self, state: State, opened: Opened) -> State | Model:
        if state.step.name == edges.NAME:
            return self.sprout(Edges.cut(opened.values, len(self.features)))
        cut, growth = Edges.of(state), Growth.of(state)
        if growth.levels:
            sums = children_of(growth.sums, growth.levels[-1], opened.values)
            return self._grow(cut, growth, sums)
        growth = growth.judged(*from_fixed(opened.values[-LOSS:]))
        grown = len(growth.trees)
        if grown == self.plan.trees or grown - growth.best >= self.plan.patience:
            forest = forest_of(growth.trees[: max(growth.best, 1)], cut.prior)
            return Trees(trees_spec(self.features, cut.encoder), cut.encoder, forest)
        slots = self._slots(cut, growth)
        return self._grow(cut, growth, opened.values[:-LOSS].reshape(1, slots.total, 2))

    def sprout(self, cut: Edges) -> State:
        """The state before the first tree."""
        return self._state(cut, Growth())

    def _grow(self, cut: Edges, growth: Growth, sums: IntArray) -> State:
        """Split level by level until a sum is needed, or the tree is whole."""
        slots = self._slots(cut, growth)
        levels = list(growth.levels)
        while True:
            splits, _ = find_splits(sums, slots, self.plan)
            levels.append(splits)
            if len(levels) == self.plan.depth:
                leaves = leaf_values(sums, splits, slots, self.plan)
                trees = [*growth.trees, (levels, leaves)]
                return self._state(cut, replace(growth, trees=trees, levels=[]))
            if (splits.feature != NOT_SPLIT).any():
                return self._state(cut, replace(growth, levels=levels, sums=sums))
            sums = children_of(sums, splits, None)

    def _state(self, cut: Edges, growth: Growth) -> State:
        done, level = len(growth.trees), len(growth.levels)
        slots = self._slots(cut, growth)
        length = 2 * slots.total * len(growth.asked) if done < self.plan.trees else 0
        remaining = self.sums - done * self.plan.depth - level - 1
        step = Step(NAME, BITS, length + (0 if level else LOSS), remaining)
        return edges.with_edges(step, cut, growth.facts, growth.arrays)

    def _slots(self, cut: Edges, growth: Growth) -> Slots:
        used = self.plan.features_of(len(growth.trees), cut.encoder.used)
        return Slots.of(used, cut.encoder)


def _planted(cut: Edges, growth: Growth, own: Own) -> Grove:
    """This bank's training rows at their places in the growing tree."""
    examples = cut.bins(own.train, own.seed)
    grove = Grove.plant(examples, cut.prior)
    if growth.trees:
        grove.logits = forest_of(growth.trees, cut.prior).logits(np.asarray(examples.inputs))
    grove.begin_tree()
    for splits in growth.levels:
        grove.descend(splits)
    return grove


def _loss(cut: Edges, growth: Growth, own: Own) -> IntArray:
    if not (np.asarray(own.validation.labels) >= 0).any():
        return np.zeros(LOSS, dtype=np.int64)
    examples = cut.bins(own.validation, own.seed, rate=1.0)
    grove = Grove.plant(examples, cut.prior)
    if growth.trees:
        grove.logits = forest_of(growth.trees, cut.prior).logits(np.asarray(examples.inputs))
    return to_fixed(grove.loss())
