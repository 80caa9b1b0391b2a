"""Logistic regression by federated Newton steps: exact sums of gradient and Hessian.

Each round a bank sends Σ gradient, the upper triangle of Σ Hessian, Σ loss and its row count, all
in fixed point; everyone takes the same ridge-penalised step. A handful of rounds ends where pooled
training does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from banks.ml.encoding import Encoder, FloatArray, IntArray
from banks.ml.examples import Examples
from banks.ml.linear import SAFE_DIGITS, solve, symmetric, triangle_length, upper_triangle
from banks.ml.models.logistic import Logistic, logistic_spec
from banks.ml.ranking import log_losses, sigmoid
from banks.ml.summing import Adder, from_fixed, plain_sum, to_fixed
from consortium.protocol.errors import Refused, gettext_noop

ROUNDS = 6
PENALTY = 3.0
ROWS_AT_ONCE = 8192
MAX_STEP_BACK = 4


@dataclass(frozen=True, eq=False)
class NewtonState:
    """Weights float64[D + 1] (intercept last) to evaluate next, and the best evaluated so far."""

    weights: FloatArray
    best: FloatArray
    best_loss: float = np.inf
    steps_back: int = 0

    @classmethod
    def start(cls, inputs: int, rate: float = 1.0) -> NewtonState:
        """Even odds among rows sampled at ``rate``: from there Newton's first steps are short."""
        weights = np.zeros(inputs + 1)
        weights[-1] = round(math.log(rate), SAFE_DIGITS)
        return cls(weights=weights, best=weights)


def newton_length(inputs: int) -> int:
    """Values in a bank's vector: gradient, Hessian's upper triangle, loss, rows."""
    return (inputs + 1) + triangle_length(inputs + 1) + 2


def newton_sums(state: NewtonState, examples: Examples) -> IntArray:
    """One bank's vector int64[newton_length] at ``state.weights``."""
    size = len(state.weights)
    gradient, hessian, loss = np.zeros(size), np.zeros((size, size)), 0.0
    for start in range(0, len(examples), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        labels = examples.labels[part]
        ones = np.ones((len(labels), 1), dtype=np.float32)
        inputs = np.hstack([examples.inputs[part].astype(np.float32), ones])
        logits = inputs @ state.weights + examples.offset
        p = sigmoid(logits)
        loss += float(log_losses(logits, labels).sum())
        gradient += (p - labels) @ inputs
        curvature = np.sqrt(p * (1 - p)).astype(np.float32)
        weighted = inputs * curvature[:, None]
        hessian += weighted.T @ weighted
    rows = np.array([len(examples)], dtype=np.int64)
    return np.concatenate(
        [to_fixed(np.concatenate([gradient, upper_triangle(hessian), [loss]])), rows]
    )


def newton_step(state: NewtonState, sums: IntArray, *, penalty: float = PENALTY) -> NewtonState:
    """The next state from the summed vectors; a step that raised the loss is halved instead.

    Raises Refused when the sums have another length or cannot come from data.
    """
    size = len(state.weights)
    if sums.shape != (newton_length(size - 1),) or sums[-1] <= 0:
        raise Refused("newton_sums", gettext_noop("The summed Newton vector does not fit."))
    ridge = np.append(np.full(size - 1, penalty), 0.0)
    loss = float(from_fixed(sums[-2])) + 0.5 * math.fsum(ridge * state.weights**2)
    if loss > state.best_loss and state.steps_back < MAX_STEP_BACK:
        halfway = (state.weights + state.best) / 2
        return NewtonState(halfway, state.best, state.best_loss, state.steps_back + 1)
    gradient = from_fixed(sums[:size]) + ridge * state.weights
    hessian = symmetric(from_fixed(sums[size:-2]), size) + np.diag(ridge)
    hessian[-1, -1] += 1e-6  # a bank of one class alone leaves the intercept undetermined
    return NewtonState(state.weights - solve(hessian, gradient), state.weights, loss)


def fit_logistic(
    features: tuple[str, ...],
    encoder: Encoder,
    banks: Sequence[Examples],
    *,
    rounds: int = ROUNDS,
    penalty: float = PENALTY,
    add: Adder = plain_sum,
    progress: Callable[[int, int], None] | None = None,
) -> Logistic:
    """Train over the banks' examples (one bank: training alone), ``rounds`` sums in all."""
    state = NewtonState.start(encoder.width, min(examples.rate for examples in banks))
    for number in range(1, rounds + 1):
        state = newton_step(
            state, add([newton_sums(state, examples) for examples in banks]), penalty=penalty
        )
        if progress:
            progress(number, rounds)
    return Logistic(logistic_spec(features, encoder), encoder, state.weights)
