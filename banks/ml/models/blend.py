"""Several models as one: the weighted mean of their logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.encoding import FloatArray
from banks.ml.models.base import Model
from banks.ml.models.spec import ModelSpec
from consortium.protocol.errors import Refused, gettext_noop

MAX_PARTS = 8


@dataclass(frozen=True, eq=False)
class Blend:
    """Models on the same features, and their weights float64[parts], which sum to 1."""

    parts: tuple[Model, ...]
    weights: NDArray[np.float64]

    family: ClassVar[str] = "blend"

    def __post_init__(self) -> None:
        if (
            not 1 <= len(self.parts) <= MAX_PARTS
            or self.weights.shape != (len(self.parts),)
            or not (self.weights >= 0).all()
            or abs(float(self.weights.sum()) - 1.0) > 1e-9
            or any(part.features != self.parts[0].features for part in self.parts)
        ):
            raise Refused("blend", gettext_noop("The models of a blend do not fit each other."))

    @property
    def spec(self) -> ModelSpec:
        return ModelSpec("blend", self.features, inputs=0)

    @property
    def features(self) -> tuple[str, ...]:
        return self.parts[0].features

    def logits(self, X: ArrayLike) -> FloatArray:
        total = np.zeros(len(np.asarray(X)))
        for weight, part in zip(self.weights, self.parts, strict=True):
            total += weight * part.logits(X)
        return total

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """The parts' own contributions, weighted alike."""
        total = np.zeros(len(self.features))
        for weight, part in zip(self.weights, self.parts, strict=True):
            total += weight * part.contributions(x, background)
        return total
