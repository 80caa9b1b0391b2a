"""A bank's vector for each step of a run, and the model that every bank derives from the sum.

All vectors are integers, so sums are exact; from there to the model only numpy's float64 and one
rounding to float32, so every bank derives the same bytes.

An update is laid out as ``[w̄, x_1 … x_P, one-hot]``: w̄ = min(w, cap)/cap stands for the number of
examples without showing it, x = w̄·Δθ is clipped, and a 1 in the bank's own place of the one-hot
field lets everybody see that each member is in the sum once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.artifact import ModelArtifact
from banks.ml.encoding import FloatArray, IntArray, Standardiser
from banks.ml.evaluation import histogram
from banks.ml.models.base import Model
from banks.ml.models.mlp import MLP, apply_update, initial_parameters, parameter_count
from banks.ml.models.spec import ModelSpec
from banks.ml.training import LocalUpdate
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.packing import Layout, dequantise, quantise

FULL_WEIGHT = 1.0


@dataclass(frozen=True)
class UpdateForm:
    """How an update is laid out: ``members`` banks, values within ±``clip``, weights to ``cap``."""

    parameters: int
    members: int
    clip: float
    cap: float
    layout: Layout

    @property
    def length(self) -> int:
        return 1 + self.parameters + self.members


def statistics_length(spec: ModelSpec) -> int:
    """Values in a statistics vector."""
    return 3 * len(spec.features)


def update_vector(update: LocalUpdate, form: UpdateForm, *, position: int) -> IntArray:
    """This bank's update int64[length]; ``position`` is its place among the members.

    Raises Refused when the update has another length or a value that is not finite.
    """
    if update.delta.shape != (form.parameters,):
        raise Refused(
            "update_length",
            gettext_noop("The update has %(length)s values; the model has %(expected)s."),
            length=update.delta.size,
            expected=form.parameters,
        )
    share = min(float(update.weight), form.cap) / form.cap
    weight = quantise(np.array([share]), FULL_WEIGHT, form.layout)
    values = quantise(share * update.delta, form.clip, form.layout)
    one_hot = np.zeros(form.members, dtype=np.int64)
    one_hot[position] = 1
    return np.concatenate([weight, values, one_hot])


def mean_update(sums: IntArray, form: UpdateForm, *, contributors: frozenset[int]) -> FloatArray:
    """The weighted mean Δθ float64[P] = Σx / Σw̄ from an opened sum.

    Raises Refused when the one-hot field does not show each contributor exactly once, or nobody
    had a weight.
    """
    if sums.shape != (form.length,):
        raise Refused("sum_length", gettext_noop("The opened sum has the wrong length."))
    field = sums[1 + form.parameters :]
    expected = [1 if place in contributors else 0 for place in range(form.members)]
    if field.tolist() != expected:
        raise Refused(
            "members_counted_wrong",
            gettext_noop("The sum does not hold every member exactly once; it is not used."),
        )
    weight = dequantise(sums[:1], FULL_WEIGHT, form.layout)[0]
    if weight <= 0:
        raise Refused("no_weight", gettext_noop("No bank had an example to learn from."))
    mean: FloatArray = dequantise(sums[1 : 1 + form.parameters], form.clip, form.layout) / weight
    return mean


def model_from_statistics(
    spec: ModelSpec, sums: IntArray, *, contributors: int, seed: int, about: Mapping[str, Any]
) -> ModelArtifact:
    """The untrained model: scales from the opened sums, parameters from the public seed."""
    encoder = Standardiser.from_sums(sums, contributors)
    return ModelArtifact(MLP(spec, encoder, initial_parameters(spec, seed)), about)


def model_from_update(
    base: ModelArtifact, mean_delta: ArrayLike, *, about: Mapping[str, Any]
) -> ModelArtifact:
    """The next model: the base's parameters plus the mean update."""
    model = base.model
    if not isinstance(model, MLP):
        raise Refused("family", gettext_noop("This family of models does not learn by updates."))
    delta = np.asarray(mean_delta, dtype=np.float64)
    return ModelArtifact(
        MLP(model.spec, model.encoder, apply_update(model.parameters, delta)), about
    )


def update_form(
    spec: ModelSpec, *, members: int, clip: str, cap: str, layout: Layout
) -> UpdateForm:
    """The form that a manifest's decimal strings describe."""
    return UpdateForm(parameter_count(spec), members, float(clip), float(cap), layout)


def metrics_vector(model: Model, X: ArrayLike, labels: ArrayLike) -> IntArray:
    """Score histograms by label as one row int64[2 · bins]: genuine bins, then fraud bins."""
    return histogram(model.logits(X), labels).ravel()
