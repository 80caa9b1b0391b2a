"""Why a score is what it is: each feature's share, exact or integrated, strongest first.

Reasons compare the transaction with the bank's own typical one, so the typical values never leave
the bank and are not part of a model file. Sentences are made elsewhere, from the feature names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray, as_matrix
from banks.ml.models.base import Model

STRONGEST = 5
AGAINST = 2


@dataclass(frozen=True)
class Reason:
    """A feature's share of logit(transaction) − logit(typical transaction).

    ``value`` and ``typical`` are in the feature's own unit, None where it is missing.
    """

    feature: str
    contribution: float
    value: float | None
    typical: float | None


def typical_values(X: ArrayLike) -> FloatArray:
    """The median of each feature over its present values, float64[F]; NaN if nobody has it."""
    matrix = as_matrix(X)
    return np.array(
        [
            np.median(present) if len(present := column[~np.isnan(column)]) else np.nan
            for column in matrix.T
        ]
    )


def reasons(
    model: Model, x: ArrayLike, background: ArrayLike, *, strongest: int = STRONGEST
) -> list[Reason]:
    """The features that moved the score most, by size; those that moved nothing are left out.

    What speaks against fraud is heard too: the two strongest of it are always among them.
    ``x`` and ``background`` (see ``typical_values``) are features [F]. Over all features the
    contributions sum to logit(x) − logit(background).
    """
    row = np.asarray(x, dtype=np.float64)
    typical = np.asarray(background, dtype=np.float64)
    shares = model.contributions(row, typical)
    order = np.argsort(-np.abs(shares), kind="stable")
    against = [index for index in order if shares[index] < 0][:AGAINST]
    first = list(order[:strongest])
    heard = [*first, *(index for index in against if index not in first)]
    return [
        Reason(
            feature=model.features[index],
            contribution=float(shares[index]),
            value=_present(row[index]),
            typical=_present(typical[index]),
        )
        for index in heard
        if shares[index] != 0
    ]


def _present(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
