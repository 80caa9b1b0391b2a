"""Multilayer perceptron in numpy: flat float32 parameters, ReLU, one logit out.

Training is in ``banks.ml.training`` with PyTorch; here is everything a web process needs.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import Arrays, Encoder, FloatArray
from banks.ml.models.spec import ModelSpec
from consortium.protocol.errors import Refused, gettext_noop

DEFAULT_HIDDEN = (32, 16)
INITIAL_FRAUD_RATE = 0.01
INITIAL_LOGIT = -4.59511985013459  # of that rate; a constant, as logarithms differ by machine
PATH_STEPS = 128

Layer = tuple[FloatArray, FloatArray]


def mlp_spec(features: tuple[str, ...], hidden: tuple[int, ...] = DEFAULT_HIDDEN) -> ModelSpec:
    """A perceptron on standardised features (one value and one missing-indicator each)."""
    return ModelSpec("mlp", tuple(features), inputs=2 * len(features), hidden=tuple(hidden))


def layer_shapes(spec: ModelSpec) -> list[tuple[int, int]]:
    """(outputs, inputs) of each layer, the last with one output."""
    sizes = (spec.inputs, *spec.hidden, 1)
    return [(outputs, inputs) for inputs, outputs in itertools.pairwise(sizes)]


def parameter_count(spec: ModelSpec) -> int:
    """P, the length of the flat parameter vector."""
    return sum(outputs * (inputs + 1) for outputs, inputs in layer_shapes(spec))


def initial_parameters(spec: ModelSpec, seed: int) -> NDArray[np.float32]:
    """He-uniform start (He et al. 2015), float32[P], from a public seed.

    Drawn from SHAKE-256 and not from a library's generator, so that every bank derives the same
    bytes whatever its versions. The last bias starts at the logit of INITIAL_FRAUD_RATE: fraud is
    rare, and a model that has to learn that first wastes its first round.
    """
    stream = hashlib.shake_256(f"initial parameters {seed}".encode())
    draws = np.frombuffer(stream.digest(4 * parameter_count(spec)), dtype="<u4")
    uniform = draws.astype(np.float64) / 2.0**31 - 1.0
    parameters = np.zeros(parameter_count(spec), dtype=np.float64)
    start = 0
    for outputs, inputs in layer_shapes(spec):
        weights = slice(start, start + outputs * inputs)
        parameters[weights] = uniform[weights] * np.sqrt(6.0 / inputs)
        start += outputs * (inputs + 1)
    parameters[-1] = INITIAL_LOGIT
    return parameters.astype("<f4")


def layers(spec: ModelSpec, parameters: ArrayLike) -> list[Layer]:
    """The flat vector as [(weights [out, in], bias [out]), …] in float64.

    Raises Refused when the length is wrong or a value is not finite.
    """
    vector = np.asarray(parameters, dtype=np.float64)
    if vector.shape != (parameter_count(spec),):
        raise Refused(
            "parameters_length",
            gettext_noop("%(length)s parameters were given; the model has %(expected)s."),
            length=vector.size,
            expected=parameter_count(spec),
        )
    if not np.isfinite(vector).all():
        raise Refused("parameters_not_finite", gettext_noop("A model parameter is not a number."))
    return list(_split(spec, vector))


def _split(spec: ModelSpec, vector: FloatArray) -> Iterator[Layer]:
    start = 0
    for outputs, inputs in layer_shapes(spec):
        middle = start + outputs * inputs
        yield vector[start:middle].reshape(outputs, inputs), vector[middle : middle + outputs]
        start = middle + outputs


def predict_logits(spec: ModelSpec, parameters: ArrayLike, inputs: ArrayLike) -> FloatArray:
    """Logits float64[n] for encoded inputs [n, spec.inputs]."""
    return _forward(layers(spec, parameters), np.asarray(inputs, dtype=np.float64))


def apply_update(
    parameters: NDArray[np.float32], mean_delta: NDArray[np.float64]
) -> NDArray[np.float32]:
    """θ + mean Δθ, added in float64 and rounded once to little-endian float32."""
    total = np.asarray(parameters, dtype=np.float64) + np.asarray(mean_delta, dtype=np.float64)
    if not np.isfinite(total).all():
        raise Refused("parameters_not_finite", gettext_noop("A model parameter is not a number."))
    return total.astype("<f4")


def _forward(stack: list[Layer], inputs: FloatArray) -> FloatArray:
    activations = inputs
    for weights, bias in stack[:-1]:
        activations = np.maximum(activations @ weights.T + bias, 0.0)
    weights, bias = stack[-1]
    return (activations @ weights.T + bias)[:, 0]


def _input_gradient(stack: list[Layer], inputs: FloatArray) -> FloatArray:
    """d logit / d input for each row, [n, inputs]."""
    active = []
    activations = inputs
    for weights, bias in stack[:-1]:
        raw = activations @ weights.T + bias
        active.append(raw > 0)
        activations = np.maximum(raw, 0.0)
    gradient = np.broadcast_to(stack[-1][0], (len(inputs), stack[-1][0].shape[1]))
    for (weights, _), on in zip(reversed(stack[:-1]), reversed(active), strict=True):
        gradient = (gradient * on) @ weights
    return gradient


@dataclass(frozen=True, eq=False)
class MLP:
    """A trained perceptron: raw features in, calibrated logits out."""

    spec: ModelSpec
    encoder: Encoder
    parameters: NDArray[np.float32]

    family: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        if self.encoder.width != self.spec.inputs:
            raise Refused(
                "encoder_width", gettext_noop("The encoder's width is not the model's input width.")
            )

    @classmethod
    def from_arrays(cls, spec: ModelSpec, encoder: Encoder, arrays: Arrays) -> MLP:
        """Inverse of ``arrays``; raises Refused when they do not fit the spec."""
        layers(spec, arrays["parameters"])
        return cls(spec, encoder, np.asarray(arrays["parameters"], dtype="<f4"))

    @cached_property
    def _stack(self) -> list[Layer]:
        return layers(self.spec, self.parameters)

    @property
    def features(self) -> tuple[str, ...]:
        return self.spec.features

    def logits(self, X: ArrayLike) -> FloatArray:
        """Logits float64[n] for features [n, F], NaN where missing."""
        return _forward(self._stack, self.encoder.encode(X).astype(np.float64))

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Integrated gradients (Sundararajan et al. 2017) of one row against a background row.

        Both are features [F]; returns float64[F] that sums to logit(x) − logit(background) up to
        the error of the midpoint rule with PATH_STEPS steps.
        """
        start, end = self.encoder.encode(np.vstack([background, x])).astype(np.float64)
        steps = (np.arange(PATH_STEPS) + 0.5)[:, None] / PATH_STEPS
        gradient = _input_gradient(self._stack, start + steps * (end - start))
        by_input = gradient.mean(axis=0) * (end - start)
        shares = np.bincount(self.encoder.sources, by_input, minlength=len(self.features))
        return shares.astype(np.float64)

    def arrays(self) -> Arrays:
        """What was learned, beside the encoder."""
        return {"parameters": self.parameters}
