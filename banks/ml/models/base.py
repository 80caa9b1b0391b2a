"""What every trained model can do, whatever its family."""

from __future__ import annotations

from typing import ClassVar, Protocol

from numpy.typing import ArrayLike

from banks.ml.encoding import Arrays, Encoder, FloatArray
from banks.ml.models.spec import ModelSpec


class Model(Protocol):
    """A trained model: features in, logits of fraud out, by numpy alone."""

    family: ClassVar[str]

    @property
    def spec(self) -> ModelSpec:
        """What the model was agreed to be."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the F features, in the order of the columns of X."""

    def logits(self, X: ArrayLike) -> FloatArray:
        """Calibrated logits float64[n] for features [n, F]; NaN where a feature is missing."""

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Each feature's share of logit(x) − logit(background), float64[F]; both are [F]."""


class EncodedModel(Model, Protocol):
    """A model that is not made of other models."""

    @property
    def encoder(self) -> Encoder:
        """How features become the model's inputs."""

    def arrays(self) -> Arrays:
        """What was learned, beside the encoder."""
