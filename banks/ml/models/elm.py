"""Extreme learning machine: a random hidden layer from a public seed, then one linear layer.

After Huang et al. (2006), with direct links from input to output; only the linear layer is learned
(``banks.ml.oneshot``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import Arrays, Encoder, FloatArray
from banks.ml.models.spec import ModelSpec
from consortium.protocol.errors import Refused, gettext_noop

DEFAULT_NEURONS = 256
PATH_STEPS = 128
ROWS_AT_ONCE = 8192
WEIGHT_VARIANCE = 1 / 20


@dataclass(frozen=True, eq=False)
class HiddenLayer:
    """ReLU of inputs · weightsᵀ + bias; weights float32[L, D], bias float32[L]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def from_seed(cls, neurons: int, inputs: int, seed: int) -> HiddenLayer:
        """Uniform weights of variance 1/20 and bias of variance 1, from SHAKE-256 of the seed."""
        count = neurons * (inputs + 1)
        stream = hashlib.shake_256(f"hidden layer {seed}".encode()).digest(4 * count)
        draws = np.frombuffer(stream, dtype="<u4").astype(np.float64) / 2.0**31 - 1.0
        weights, bias = np.split(draws * np.sqrt(3.0), [neurons * inputs])
        scaled = weights.reshape(neurons, inputs) * np.sqrt(WEIGHT_VARIANCE)
        return cls(scaled.astype("<f4"), bias.astype("<f4"))

    def outputs(self, inputs: ArrayLike) -> NDArray[np.float32]:
        """[activations, inputs, 1] for encoded inputs [n, D], float32[n, L + D + 1]."""
        rows = np.asarray(inputs, dtype=np.float32)
        hidden = np.maximum(rows @ self.weights.T + self.bias, 0.0)
        return np.hstack([hidden, rows, np.ones((len(rows), 1), dtype=np.float32)])


@dataclass(frozen=True, eq=False)
class ELM:
    """A hidden layer and the output weights float64[L + D + 1]: hidden, direct, intercept."""

    spec: ModelSpec
    encoder: Encoder
    hidden: HiddenLayer
    weights: NDArray[np.float64]

    family: ClassVar[str] = "elm"

    @classmethod
    def from_arrays(cls, spec: ModelSpec, encoder: Encoder, arrays: Arrays) -> ELM:
        """Inverse of ``arrays``; raises Refused when they do not fit the spec."""
        hidden = HiddenLayer(
            np.asarray(arrays["hidden_weights"], dtype="<f4"),
            np.asarray(arrays["hidden_bias"], dtype="<f4"),
        )
        weights = np.asarray(arrays["weights"], dtype="<f8")
        neurons = spec.hidden[0] if len(spec.hidden) == 1 else -1
        if (
            encoder.width != spec.inputs
            or hidden.weights.shape != (neurons, spec.inputs)
            or hidden.bias.shape != (neurons,)
            or weights.shape != (neurons + spec.inputs + 1,)
        ):
            raise Refused("elm", gettext_noop("The model's layers do not fit each other."))
        return cls(spec, encoder, hidden, weights)

    @property
    def features(self) -> tuple[str, ...]:
        return self.spec.features

    def logits(self, X: ArrayLike) -> FloatArray:
        rows = np.asarray(X)
        parts = [
            self.hidden.outputs(self.encoder.encode(rows[start : start + ROWS_AT_ONCE]))
            @ self.weights
            for start in range(0, len(rows), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Integrated gradients, as in the perceptron."""
        start, end = self.encoder.encode(np.vstack([background, x])).astype(np.float64)
        steps = (np.arange(PATH_STEPS) + 0.5)[:, None] / PATH_STEPS
        path = start + steps * (end - start)
        active = path @ self.hidden.weights.T.astype(np.float64) + self.hidden.bias > 0
        neurons, inputs = self.hidden.weights.shape
        through_hidden = (active.mean(axis=0) * self.weights[:neurons]) @ self.hidden.weights
        terms = (through_hidden + self.weights[neurons : neurons + inputs]) * (end - start)
        shares = np.bincount(self.encoder.sources, terms, minlength=len(self.features))
        return shares.astype(np.float64)

    def arrays(self) -> Arrays:
        return {
            "hidden_weights": self.hidden.weights,
            "hidden_bias": self.hidden.bias,
            "weights": self.weights,
        }


def elm_spec(
    features: tuple[str, ...], encoder: Encoder, neurons: int = DEFAULT_NEURONS
) -> ModelSpec:
    """An extreme learning machine on this encoding."""
    return ModelSpec("elm", tuple(features), inputs=encoder.width, hidden=(neurons,))
