"""The blend: logistic regression, trees on the same edges, then one sum that weighs the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from banks.ml.blending import blend_losses, blend_weight
from banks.ml.courses.base import Opened, Own, State
from banks.ml.courses.edges import Edges, with_edges
from banks.ml.courses.forest import ForestCourse
from banks.ml.courses.logistic import NewtonCourse
from banks.ml.encoding import Arrays, IntArray
from banks.ml.ensemble import CANDIDATES
from banks.ml.models.base import Model
from banks.ml.models.blend import Blend
from banks.ml.models.logistic import Logistic, logistic_spec
from banks.ml.models.trees import Trees, trees_spec
from consortium.protocol.spec import Step

NAME = "blend"
BITS = 56
LOGISTIC, FOREST = "logistic", "forest"
CARRIED = "carried."


@dataclass(frozen=True)
class BlendCourse:
    logistic: NewtonCourse
    forest: ForestCourse

    def begin(self, seed: int) -> State:
        return self._inside(LOGISTIC, self.logistic.begin(seed), {})

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name != NAME:
            return self._part(state).vector(state, own)
        first, second = self._both(state)
        X = own.validation.X
        return blend_losses(first.logits(X), second.logits(X), own.validation.labels)

    def advance(self, state: State, opened: Opened) -> State | Model:
        if state.step.name == NAME:
            weight = blend_weight(opened.values)
            return Blend(self._both(state), np.array([weight, 1.0 - weight]))
        follows = self._part(state).advance(state, opened)
        if isinstance(follows, State):
            return self._inside(state.facts["part"], follows, _carried(state.arrays))
        if isinstance(follows, Logistic):
            learned = {CARRIED + "weights": follows.weights}
            return self._inside(FOREST, self.forest.sprout(Edges.of(state)), learned)
        grown = {CARRIED + name: array for name, array in cast(Trees, follows).arrays().items()}
        step = Step(NAME, BITS, 2 * len(CANDIDATES) + 1, 0)
        return with_edges(step, Edges.of(state), {}, {**_carried(state.arrays), **grown})

    def _part(self, state: State) -> NewtonCourse | ForestCourse:
        return self.logistic if state.facts["part"] == LOGISTIC else self.forest

    def _inside(self, part: str, state: State, carried: Arrays) -> State:
        later = 1 + (self.forest.sums if part == LOGISTIC else 0)
        step = Step(
            state.step.name, state.step.bits, state.step.length, state.step.remaining + later
        )
        facts: dict[str, Any] = {**state.facts, "part": part}
        return State(step, facts, {**state.arrays, **carried})

    def _both(self, state: State) -> tuple[Logistic, Trees]:
        features, encoder = self.logistic.features, Edges.of(state).encoder
        learned = {
            name.removeprefix(CARRIED): array
            for name, array in state.arrays.items()
            if name.startswith(CARRIED)
        }
        first = Logistic.from_arrays(logistic_spec(features, encoder), encoder, learned)
        second = Trees.from_arrays(trees_spec(features, encoder), encoder, learned)
        return first, second


def _carried(arrays: Arrays) -> Arrays:
    return {name: array for name, array in arrays.items() if name.startswith(CARRIED)}
