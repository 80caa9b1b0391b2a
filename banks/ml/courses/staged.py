"""A first stage, and then the course that learns from the features it helped to build.

The first stage is part of every later state, so the members sign it with each sum that depends on
it, and a bank finds it again after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from banks.ml.courses.base import Course, Opened, Own, State
from banks.ml.courses.first_stage import FirstStageCourse
from banks.ml.encoding import IntArray
from banks.ml.first_stage import FirstStage
from banks.ml.models.base import Model
from consortium.protocol.spec import Step

FIRST_STAGE: Final = "first_stage"
LATER: Final = "later"  # in the facts of a state while the first stage is learned


@dataclass(frozen=True)
class Staged:
    """``vector`` takes rows of the features that the state is about (``is_first``)."""

    first: FirstStageCourse
    later: Course

    def begin(self, seed: int) -> State:
        return self._before(self.first.begin(seed), self.later.begin(seed))

    def vector(self, state: State, own: Own) -> IntArray:
        if is_first(state):
            return self.first.vector(state, own)
        return self.later.vector(_without(state), own)

    def advance(self, state: State, opened: Opened) -> State | Model:
        if is_first(state):
            follows = self.first.advance(state, opened)
            then = State(Step.from_wire(state.facts[LATER]["step"]), state.facts[LATER]["facts"])
            if isinstance(follows, State):
                return self._before(follows, then)
            return _with(then, np.frombuffer(follows.to_bytes(), dtype=np.uint8))
        content = state.arrays[FIRST_STAGE]
        after = self.later.advance(_without(state), opened)
        return _with(after, content) if isinstance(after, State) else after

    def _before(self, state: State, later: State) -> State:
        step = state.step
        remaining = step.remaining + 1 + later.step.remaining
        then = {"step": later.step.to_wire(), "facts": dict(later.facts)}
        return State(
            Step(step.name, step.bits, step.length, remaining),
            {**state.facts, LATER: then},
            state.arrays,
        )


def is_first(state: State) -> bool:
    """Whether the state is on the way to a first stage."""
    return LATER in state.facts


def first_stage_in(state: State) -> FirstStage | None:
    """The first stage that a state was derived under."""
    content = state.arrays.get(FIRST_STAGE)
    return None if content is None else FirstStage.from_bytes(content.tobytes())


def _with(state: State, content: np.ndarray) -> State:
    return State(state.step, state.facts, {**state.arrays, FIRST_STAGE: content})


def _without(state: State) -> State:
    arrays = {name: array for name, array in state.arrays.items() if name != FIRST_STAGE}
    return State(state.step, state.facts, arrays)
