"""A perceptron by federated averaging: an encoding from a first sum, then updates in rounds.

A model whose number of inputs is agreed (two a feature) is standardised; one that leaves it open
gets the piecewise-linear encoding of the other families, and its inputs follow from the edges.

An update is laid out as ``[w̄, x_1 … x_P, one-hot]``: w̄ = min(w, cap)/cap stands for the number of
examples without showing it, x = w̄·Δθ is clipped, and a 1 in the bank's own place of the one-hot
field lets everybody see that each member is in the sum once. Behind it stands the validation loss
of the model that the round began with; the summed losses choose the round whose model is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banks.ml.courses import edges
from banks.ml.courses.base import Opened, Own, State
from banks.ml.courses.edges import Edges
from banks.ml.encoding import Arrays, Encoder, FloatArray, IntArray, Standardiser, statistics
from banks.ml.examples import Examples, prepare
from banks.ml.federation import (
    LIMBS,
    UpdateForm,
    from_limbs,
    in_limbs,
    mean_update,
    update_vector,
)
from banks.ml.models.base import Model
from banks.ml.models.mlp import MLP, apply_update, initial_parameters, parameter_count
from banks.ml.models.spec import ModelSpec
from banks.ml.ranking import log_losses
from banks.ml.summing import from_fixed, to_fixed
from banks.ml.training import TrainingPlan, local_update
from consortium.protocol.packing import smallest_layout
from consortium.protocol.spec import Step

VALIDATION = "validation"
LOSS = 2  # Σ validation loss and rows
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

    def begin(self, seed: int) -> State:
        count, rounds = len(self.spec.features), self.plan.rounds + 1
        if self.spec.inputs:
            return State(Step("statistics", STATISTIC_BITS, 3 * count, rounds), {"seed": seed})
        return State(edges.step(count, self.plan.cells, rounds), {"seed": seed})

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name == "statistics":
            return statistics(own.train.X)
        if state.step.name == edges.NAME:
            return edges.vector(own, self.plan.cells)
        model = self._model(state)
        loss = to_fixed(_loss(model, own))
        if state.step.name == VALIDATION:
            return loss
        update = local_update(
            model.spec,
            model.parameters,
            _examples(state, model.encoder, own),
            self.plan,
            round_index=state.facts["round"],
            seed=own.seed,
        )
        form = self._form(model.spec)
        return np.concatenate([update_vector(update, form, position=own.place), in_limbs(loss)])

    def advance(self, state: State, opened: Opened) -> State | Model:
        if "parameters" not in state.arrays:
            return self._start(state, opened)
        model, done = self._model(state), int(state.facts["round"])
        if state.step.name == VALIDATION:
            kept = _best(state, from_fixed(opened.values))
            return MLP(model.spec, model.encoder, kept["best"])
        form = self._form(model.spec)
        update, limbs = np.split(opened.values, [form.length])
        best = _best(state, from_fixed(from_limbs(limbs))) if done else {}
        mean = mean_update(update, form, contributors=opened.places)
        parameters = apply_update(model.parameters, mean)
        return self._state(done + 1, model.spec, parameters, state, best)

    def _start(self, state: State, opened: Opened) -> State:
        """The encoding from the first sum, the parameters from the public seed."""
        if state.step.name == edges.NAME:
            cut = Edges.cut(opened.values, len(self.spec.features))
            encoded, encoder = State(state.step, cut.facts, cut.arrays), cut.encoder
            spec = self._spec(encoder)
            parameters = initial_parameters(spec, state.facts["seed"])
            parameters[-1] = cut.prior
        else:
            scaled = Standardiser.from_sums(opened.values, len(opened.places))
            encoded = State(state.step, {}, scaled.arrays())
            spec = self._spec(scaled)
            parameters = initial_parameters(spec, state.facts["seed"])
        return self._state(0, spec, parameters, encoded)

    def _state(
        self,
        done: int,
        spec: ModelSpec,
        parameters: NDArray[np.float32],
        before: State,
        best: Arrays | None = None,
    ) -> State:
        """The state after ``done`` updates; the encoding is carried over from ``before``."""
        remaining = self.plan.rounds - done
        step = Step("update", UPDATE_BITS, self._form(spec).length + LOSS * LIMBS, remaining)
        if not remaining:
            step = Step(VALIDATION, STATISTIC_BITS, LOSS, 0)
        facts = {**before.facts, "round": done}
        return State(step, facts, {**before.arrays, **(best or {}), "parameters": parameters})

    def _model(self, state: State) -> MLP:
        encoder = _encoder(state)
        return MLP.from_arrays(self._spec(encoder), encoder, state.arrays)

    def _spec(self, encoder: Encoder) -> ModelSpec:
        return replace(self.spec, inputs=encoder.width)

    def _form(self, spec: ModelSpec) -> UpdateForm:
        """How an update is laid out."""
        return UpdateForm(
            parameters=parameter_count(spec),
            members=self.members,
            clip=self.clip,
            cap=self.weight_cap,
            layout=smallest_layout(UPDATE_BITS),
        )


def _loss(model: MLP, own: Own) -> FloatArray:
    """Σ log-loss and rows of the bank's validation window."""
    known = np.asarray(own.validation.labels) >= 0
    if not known.any():
        return np.zeros(LOSS)
    losses = log_losses(model.logits(own.validation.X[known]), own.validation.labels[known])
    return np.array([losses.sum(), known.sum()])


def _best(state: State, summed: FloatArray) -> Arrays:
    """The best parameters so far and their mean loss; without validation rows the newest."""
    loss, rows = summed
    mean = loss / rows if rows > 0 else -float(state.facts["round"])
    if "best" in state.arrays and mean >= state.arrays["best_loss"][0]:
        return {name: state.arrays[name] for name in ("best", "best_loss")}
    return {"best": state.arrays["parameters"], "best_loss": np.array([mean])}


def _encoder(state: State) -> Encoder:
    if "mean" in state.arrays:
        return Standardiser.from_arrays(state.arrays)
    return Edges.of(state).encoder


def _examples(state: State, encoder: Encoder, own: Own) -> Examples:
    """Standardised rows are sampled at each bank's own share, others at the common one."""
    if "mean" in state.arrays:
        rows = own.train
        return prepare(encoder, rows.X, rows.labels, rows.ids, seed=own.seed)
    return Edges.of(state).examples(own.train, own.seed)
