"""Logistic regression: one weight an input; on a piecewise-linear encoding one curve a feature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import Arrays, Encoder, FloatArray
from banks.ml.models.spec import ModelSpec
from banks.ml.piecewise import PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop


@dataclass(frozen=True, eq=False)
class Curve:
    """What one feature adds to the logit: linear between ``at`` (its own unit), flat outside."""

    feature: str
    at: FloatArray
    adds: FloatArray
    adds_when_missing: float


@dataclass(frozen=True, eq=False)
class Logistic:
    """Weights float64[D + 1], the intercept last."""

    spec: ModelSpec
    encoder: Encoder
    weights: NDArray[np.float64]

    family: ClassVar[str] = "logistic"

    def __post_init__(self) -> None:
        if self.encoder.width != self.spec.inputs or self.weights.shape != (self.spec.inputs + 1,):
            raise Refused(
                "weights_length", gettext_noop("The model's weights do not fit its encoding.")
            )

    @classmethod
    def from_arrays(cls, spec: ModelSpec, encoder: Encoder, arrays: Arrays) -> Logistic:
        """Inverse of ``arrays``."""
        return cls(spec, encoder, np.asarray(arrays["weights"], dtype="<f8"))

    @property
    def features(self) -> tuple[str, ...]:
        return self.spec.features

    def logits(self, X: ArrayLike) -> FloatArray:
        return self.encoder.project(X, self.weights[:-1]) + float(self.weights[-1])

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Exact: the difference of each feature's own terms."""
        typical, row = self.encoder.encode(np.vstack([background, x])).astype(np.float64)
        terms = (row - typical) * self.weights[:-1]
        shares = np.bincount(self.encoder.sources, terms, minlength=len(self.features))
        return shares.astype(np.float64)

    @cached_property
    def curves(self) -> list[Curve]:
        """One curve for each feature in use; empty unless the encoding is piecewise-linear."""
        if not isinstance(self.encoder, PiecewiseLinear):
            return []
        knots = self.encoder.knots
        return [
            Curve(
                feature=self.features[feature],
                at=np.sign(knots[feature]) * np.expm1(np.abs(knots[feature])),
                adds=values,
                adds_when_missing=missing,
            )
            for feature, values, missing in self.encoder.curves(self.weights[:-1])
        ]

    def arrays(self) -> Arrays:
        return {"weights": self.weights}


def logistic_spec(features: tuple[str, ...], encoder: Encoder) -> ModelSpec:
    """A logistic regression on this encoding of these features."""
    return ModelSpec("logistic", tuple(features), inputs=encoder.width)
