"""Logistic regression: edges, then Newton steps on exact sums of gradient and Hessian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from banks.ml.courses import edges
from banks.ml.courses.base import Opened, Own, State
from banks.ml.courses.edges import Edges
from banks.ml.courses.plans import PPM, NewtonPlan
from banks.ml.encoding import IntArray
from banks.ml.models.base import Model
from banks.ml.models.logistic import Logistic, logistic_spec
from banks.ml.newton import NewtonState, newton_length, newton_step, newton_sums
from banks.ml.piecewise import EdgePolicy
from consortium.protocol.spec import Step

NAME = "newton"
BITS = 56


@dataclass(frozen=True)
class NewtonCourse:
    features: tuple[str, ...]
    plan: NewtonPlan
    policy: EdgePolicy | None = None

    def begin(self, seed: int) -> State:
        return State(edges.step(len(self.features), self.plan.cells, self.plan.rounds))

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name == edges.NAME:
            return edges.vector(own, self.plan.cells)
        return newton_sums(_newton(state), Edges.of(state).examples(own.train, own.seed))

    def advance(self, state: State, opened: Opened) -> State | Model:
        if state.step.name == edges.NAME:
            cut = Edges.cut(opened.values, len(self.features), self.policy)
            return self._state(cut, NewtonState.start(cut.encoder.width, cut.rate), done=0)
        cut, before = Edges.of(state), _newton(state)
        after = newton_step(before, opened.values, penalty=self.plan.penalty_ppm / PPM)
        done = int(state.facts["round"]) + 1
        if done >= self.plan.rounds or self._settled(before, after):
            spec = logistic_spec(self.features, cut.encoder)
            return Logistic(spec, cut.encoder, after.weights)
        return self._state(cut, after, done)

    def _settled(self, before: NewtonState, after: NewtonState) -> bool:
        """Whether a step that was taken has lowered the loss by next to nothing."""
        if after.steps_back or not np.isfinite(before.best_loss):
            return False
        fall = before.best_loss - after.best_loss
        return fall < self.plan.tolerance_ppm / PPM * after.best_loss

    def _state(self, cut: Edges, newton: NewtonState, done: int) -> State:
        step = Step(NAME, BITS, newton_length(cut.encoder.width), self.plan.rounds - done - 1)
        arrays = {"weights": newton.weights, "best": newton.best}
        if np.isfinite(newton.best_loss):
            arrays["best_loss"] = np.array([newton.best_loss])
        return edges.with_edges(step, cut, {"round": done, "steps_back": newton.steps_back}, arrays)


def _newton(state: State) -> NewtonState:
    loss = state.arrays.get("best_loss")
    return NewtonState(
        weights=np.array(state.arrays["weights"]),
        best=np.array(state.arrays["best"]),
        best_loss=np.inf if loss is None else float(loss[0]),
        steps_back=int(state.facts["steps_back"]),
    )
