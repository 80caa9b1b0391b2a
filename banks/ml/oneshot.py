"""Training an extreme learning machine in one round: exact least squares from encrypted sums.

Each bank sends HᵀH and Hᵀy of its rows in fixed point, H being the hidden layer's outputs; the sum
determines the weights. The fitted value is turned into a logit by the classes' means and their
common variance, which follow from the same sums, so no second round is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from banks.ml.encoding import Encoder, FloatArray, IntArray
from banks.ml.examples import Examples
from banks.ml.linear import SAFE_DIGITS, solve, symmetric, triangle_length, upper_triangle
from banks.ml.models.elm import DEFAULT_NEURONS, ELM, HiddenLayer, elm_spec
from banks.ml.summing import Adder, from_fixed, plain_sum, to_fixed
from consortium.protocol.errors import Refused, gettext_noop

RIDGE = 10.0
ROWS_AT_ONCE = 8192


def gram_length(neurons: int, inputs: int) -> int:
    """Values in a bank's vector: HᵀH's upper triangle, Hᵀy, and rows times offset."""
    size = neurons + inputs + 1
    return triangle_length(size) + size + 1


def gram_sums(layer: HiddenLayer, examples: Examples) -> IntArray:
    """One bank's vector int64[gram_length]."""
    size = sum(layer.weights.shape) + 1
    gram, moments = np.zeros((size, size)), np.zeros(size)
    for start in range(0, len(examples), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        outputs = layer.outputs(examples.inputs[part])
        gram += outputs.T @ outputs
        moments += examples.labels[part] @ outputs
    offset = [len(examples) * examples.offset]
    return to_fixed(np.concatenate([upper_triangle(gram), moments, offset]))


def output_weights(sums: IntArray, size: int, *, ridge: float = RIDGE) -> FloatArray:
    """Weights float64[size] of the logit from the summed vectors.

    Raises Refused when the sums have another length or only one class.
    """
    if sums.shape != (triangle_length(size) + size + 1,):
        raise Refused("gram_sums", gettext_noop("The summed matrix does not fit the model."))
    gram = symmetric(from_fixed(sums[: triangle_length(size)]), size)
    moments, offset = from_fixed(sums[triangle_length(size) : -1]), float(from_fixed(sums[-1]))
    rows, frauds = gram[-1, -1], moments[-1]
    if not 0 < frauds < rows:
        raise Refused(
            "one_class",
            gettext_noop("The banks together need fraudulent and genuine transactions."),
        )
    weights = solve(gram + ridge * np.eye(size), moments)
    return _as_logit(weights, gram[-1], moments, rows, ridge, offset / rows)


def _as_logit(
    weights: FloatArray,
    totals: FloatArray,
    moments: FloatArray,
    rows: float,
    ridge: float,
    offset: float,
) -> FloatArray:
    """Linear discriminant of the fitted value; Gramian · weights = moments − ridge · weights."""
    frauds = moments[-1]
    total = math.fsum(weights * totals)
    in_frauds = math.fsum(weights * moments)
    squares = math.fsum(weights * (moments - ridge * weights))
    mean_fraud, mean_genuine = in_frauds / frauds, (total - in_frauds) / (rows - frauds)
    within = squares - frauds * mean_fraud**2 - (rows - frauds) * mean_genuine**2
    slope = max(mean_fraud - mean_genuine, 0.0) / max(within / rows, 1e-6)
    prior = round(math.log(frauds / (rows - frauds)), SAFE_DIGITS)
    logit = np.asarray(slope * weights)
    logit[-1] += prior - offset - slope * (mean_fraud + mean_genuine) / 2
    return logit


def fit_elm(
    features: tuple[str, ...],
    encoder: Encoder,
    banks: Sequence[Examples],
    *,
    seed: int,
    neurons: int = DEFAULT_NEURONS,
    add: Adder = plain_sum,
) -> ELM:
    """Train over the banks' examples with one sum (one bank: training alone)."""
    spec = elm_spec(features, encoder, neurons)
    layer = HiddenLayer.from_seed(neurons, encoder.width, seed)
    sums = add([gram_sums(layer, examples) for examples in banks])
    return ELM(spec, encoder, layer, output_weights(sums, neurons + encoder.width + 1))
