"""A first stage: two logistic regressions side by side, one for each half of the accounts.

Each sum is that of the one half, then that of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from banks.ml.courses.base import Opened, Own, State, Window
from banks.ml.courses.logistic import NewtonCourse
from banks.ml.courses.plans import NewtonPlan
from banks.ml.encoding import IntArray
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.first_stage import HALVES, FirstStage, half_of
from banks.ml.models.logistic import Logistic
from banks.ml.piecewise import EdgePolicy
from banks.ml.summing import Adder, plain_sum
from consortium.protocol.errors import Refused
from consortium.protocol.spec import Step

PREFIX: Final = "first stage "
POLICY: Final = EdgePolicy(least_share_ppm=3_500)
Half = State | Logistic | None


@dataclass(frozen=True)
class FirstStageCourse:
    """``below`` is what the first stage looks at (``plan_below``)."""

    below: FeaturePlan
    plan: NewtonPlan

    def begin(self, seed: int) -> State:
        return _joined([self._half.begin(seed)] * HALVES)

    def vector(self, state: State, own: Own) -> IntArray:
        """``own`` has rows of the first stage's own features."""
        among = half_of(own.train.accounts)
        taken = [_Taken(own.train, among == half) for half in range(HALVES)]
        return np.concatenate(
            [
                self._half.vector(state, replace(own, train=rows))
                if (rows.labels >= 0).any()
                else np.zeros(state.step.length, dtype=np.int64)
                for state, rows in zip(_halves(state), taken, strict=True)
                if state is not None
            ]
        )

    def advance(self, state: State, opened: Opened) -> State | FirstStage:
        follows: list[Half] = []
        values = opened.values
        for half in _halves(state):
            if isinstance(half, State):
                mine, values = values[: half.step.length], values[half.step.length :]
                follows.append(self._follows(half, replace(opened, values=mine)))
            else:
                follows.append(half)
        if any(isinstance(half, State) for half in follows):
            return _joined(follows)
        return FirstStage(self.below, tuple(cast("list[Logistic | None]", follows)))

    def _follows(self, half: State, opened: Opened) -> Half:
        try:
            return cast(Half, self._half.advance(half, opened))
        except Refused as refusal:
            if refusal.code != "one_class":
                raise
            return None

    @property
    def _half(self) -> NewtonCourse:
        # Both halves take all rounds, so that they end together.
        plan = replace(self.plan, tolerance_ppm=0)
        return NewtonCourse(feature_names(self.below), plan, POLICY)


def learn_first_stage(
    course: FirstStageCourse, banks: Sequence[Own], *, add: Adder = plain_sum
) -> FirstStage:
    """The first stage of these banks (one bank: alone), added up by ``add``."""
    state = course.begin(0)
    while True:
        vectors = [course.vector(state, own) for own in banks]
        follows = course.advance(state, Opened(add(vectors), frozenset(range(len(banks)))))
        if isinstance(follows, FirstStage):
            return follows
        state = follows


@dataclass(frozen=True, eq=False)
class _Taken:
    """Some rows of a window."""

    rows: Window
    taken: NDArray[np.bool_]

    @property
    def X(self) -> NDArray[Any]:  # noqa: N802
        return self.rows.X[self.taken]

    @property
    def labels(self) -> NDArray[Any]:
        return self.rows.labels[self.taken]

    @property
    def ids(self) -> NDArray[Any]:
        return self.rows.ids[self.taken]

    @property
    def accounts(self) -> NDArray[Any]:
        return self.rows.accounts[self.taken]


def _joined(halves: Sequence[Half]) -> State:
    """Both halves' states as one; a half that has nothing to learn is left out."""
    states = {half: state for half, state in enumerate(halves) if isinstance(state, State)}
    steps = [state.step for state in states.values()]
    step = Step(
        PREFIX + steps[0].name, steps[0].bits, sum(one.length for one in steps), steps[0].remaining
    )
    facts = {
        f"half{half}": {**state.facts, "length": state.step.length}
        for half, state in states.items()
    }
    arrays = {
        f"half{half}.{name}": array
        for half, state in states.items()
        for name, array in state.arrays.items()
    }
    return State(step, facts, arrays)


def _halves(state: State) -> list[State | None]:
    """Inverse of ``_joined``."""
    found: list[State | None] = []
    for half in range(HALVES):
        name = f"half{half}"
        if name not in state.facts:
            found.append(None)
            continue
        facts = dict(state.facts[name])
        step = replace(
            state.step, name=state.step.name.removeprefix(PREFIX), length=facts.pop("length")
        )
        prefix = f"{name}."
        arrays = {
            key.removeprefix(prefix): array
            for key, array in state.arrays.items()
            if key.startswith(prefix)
        }
        found.append(State(step, facts, arrays))
    return found
