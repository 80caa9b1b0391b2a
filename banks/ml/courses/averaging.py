"""A perceptron by federated averaging: standardisation statistics, then updates in rounds.

An update is laid out as ``[w̄, x_1 … x_P, one-hot]``: w̄ = min(w, cap)/cap stands for the number of
examples without showing it, x = w̄·Δθ is clipped, and a 1 in the bank's own place of the one-hot
field lets everybody see that each member is in the sum once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.courses.base import Opened, Own, State
from banks.ml.encoding import Encoder, IntArray, Standardiser, statistics
from banks.ml.examples import prepare
from banks.ml.federation import UpdateForm, mean_update, update_vector
from banks.ml.models.base import Model
from banks.ml.models.mlp import MLP, apply_update, initial_parameters, parameter_count
from banks.ml.models.spec import ModelSpec
from banks.ml.training import TrainingPlan, local_update
from consortium.protocol.packing import smallest_layout
from consortium.protocol.spec import Step

STATISTIC_BITS = 56
UPDATE_BITS = 16


@dataclass(frozen=True)
class Averaging:
    """FedAvg (McMahan et al. 2017), or FedProx where the plan has a proximal term."""

    spec: ModelSpec
    plan: TrainingPlan
    members: int
    clip: float
    weight_cap: float

    @property
    def form(self) -> UpdateForm:
        """How an update is laid out."""
        return UpdateForm(
            parameters=parameter_count(self.spec),
            members=self.members,
            clip=self.clip,
            cap=self.weight_cap,
            layout=smallest_layout(UPDATE_BITS),
        )

    def begin(self, seed: int) -> State:
        step = Step("statistics", STATISTIC_BITS, 3 * len(self.spec.features), self.plan.rounds)
        return State(step, {"seed": seed})

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name == "statistics":
            return statistics(own.train.X)
        model = self._model(state)
        train = own.train
        update = local_update(
            self.spec,
            model.parameters,
            prepare(model.encoder, train.X, train.labels, train.ids, seed=own.seed),
            self.plan,
            round_index=state.facts["round"],
            seed=own.seed,
        )
        return update_vector(update, self.form, position=own.place)

    def advance(self, state: State, opened: Opened) -> State | Model:
        if state.step.name == "statistics":
            encoder = Standardiser.from_sums(opened.values, len(opened.places))
            return self._state(0, encoder, initial_parameters(self.spec, state.facts["seed"]))
        model = self._model(state)
        mean = mean_update(opened.values, self.form, contributors=opened.places)
        parameters = apply_update(model.parameters, mean)
        done = int(state.facts["round"]) + 1
        if done == self.plan.rounds:
            return MLP(self.spec, model.encoder, parameters)
        return self._state(done, model.encoder, parameters)

    def _state(self, done: int, encoder: Encoder, parameters: NDArray[np.float32]) -> State:
        step = Step("update", UPDATE_BITS, self.form.length, self.plan.rounds - done - 1)
        return State(step, {"round": done}, {**encoder.arrays(), "parameters": parameters})

    def _model(self, state: State) -> MLP:
        return MLP.from_arrays(self.spec, Standardiser.from_arrays(state.arrays), state.arrays)
