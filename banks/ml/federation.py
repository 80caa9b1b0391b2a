"""A bank's update in a round of federated averaging, and its score histograms, as integers.

All vectors are integers, so sums are exact; from there to the model only numpy's float64 and one
rounding to float32, so every bank derives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.evaluation import histogram
from banks.ml.models.base import Model
from banks.ml.training import LocalUpdate
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.packing import Layout, dequantise, quantise

FULL_WEIGHT = 1.0
LIMBS, LIMB_BITS = 4, 15


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


def in_limbs(values: IntArray) -> IntArray:
    """Numbers from 0 to 2^60 as int64[LIMBS · n], each small enough to stand in an update."""
    shifts = LIMB_BITS * np.arange(LIMBS)
    return np.asarray((values[:, None] >> shifts) & ((1 << LIMB_BITS) - 1)).ravel()


def from_limbs(sums: IntArray) -> IntArray:
    """The sum of the banks' numbers, from the sum of their limbs."""
    shifts = LIMB_BITS * np.arange(LIMBS)
    return np.asarray((sums.reshape(-1, LIMBS) << shifts).sum(axis=1))


def metrics_vector(model: Model, X: ArrayLike, labels: ArrayLike) -> IntArray:
    """Score histograms by label as one row int64[2 · bins]: genuine bins, then fraud bins."""
    return histogram(model.logits(X), labels).ravel()
