"""A model version as something that scores: features in, logits out, with numpy alone."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.artifact import ModelArtifact
from banks.ml.encoding import FloatArray
from banks.ml.ensemble import combine
from banks.ml.models.base import Model
from banks.models import ModelVersion
from consortium.protocol.errors import Refused, gettext_noop

PPM = 1_000_000


class Scorer(Protocol):
    """What scoring, evaluation and explanation need of a version."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of X, in order."""

    def logits(self, X: ArrayLike) -> FloatArray:
        """Logits float64[n] for features [n, F], NaN where missing."""

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        """Each feature's share of logit(x) − logit(background), float64[F]."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """weight · own + (1 − weight) · consortium on the logit, over the features of both."""

    own: Model
    consortium: Model
    weight: float

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.consortium.features, *self.own.features)))

    def logits(self, X: ArrayLike) -> FloatArray:
        return combine(
            self.own.logits(aligned(X, self.features, self.own.features)),
            self.consortium.logits(aligned(X, self.features, self.consortium.features)),
            self.weight,
        )

    def contributions(self, x: ArrayLike, background: ArrayLike) -> FloatArray:
        total = np.zeros(len(self.features))
        for model, weight in ((self.own, self.weight), (self.consortium, 1.0 - self.weight)):
            places = [self.features.index(name) for name in model.features]
            rows = np.asarray(x)[places], np.asarray(background)[places]
            total[places] += weight * model.contributions(*rows)
        return total


def aligned(X: ArrayLike, have: Sequence[str], want: Sequence[str]) -> NDArray[Any]:
    """The columns ``want`` of X, whose columns are ``have``; refuses what is not there."""
    matrix = np.asarray(X)
    if tuple(have) == tuple(want):
        return matrix
    missing = [name for name in want if name not in have]
    if missing:
        raise Refused(
            "features_missing",
            gettext_noop("This bank's data lack the model's feature %(name)s."),
            name=missing[0],
        )
    return matrix[..., [have.index(name) for name in want]]


def ensemble_description(own: ModelVersion, consortium: ModelVersion, weight: float) -> bytes:
    """An ensemble has no parameters of its own: its artifact names its parts and their weight."""
    said = {
        "consortium": consortium.artifact_sha256,
        "own": own.artifact_sha256,
        "own_weight_ppm": round(weight * PPM),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def scorer_of(version: ModelVersion) -> Scorer:
    """Read a version's artifact, once for each process; needs the bank's scope.

    Raises Refused when the stored bytes are not those the version was made with.
    """
    if version.origin != ModelVersion.Origin.ENSEMBLE:
        return _model(version.artifact_sha256, version.bank_id)
    parts = _stored(version.artifact_sha256, version.bank_id)
    said = json.loads(parts)
    return Ensemble(
        own=_model(said["own"], version.bank_id),
        consortium=_model(said["consortium"], version.bank_id),
        weight=said["own_weight_ppm"] / PPM,
    )


@lru_cache(maxsize=32)
def _model(sha256: str, bank_id: uuid.UUID) -> Model:
    return ModelArtifact.from_bytes(_stored(sha256, bank_id)).model


@lru_cache(maxsize=32)
def _stored(sha256: str, bank_id: uuid.UUID) -> bytes:
    content = bytes(
        ModelVersion.objects.filter(bank_id=bank_id, artifact_sha256=sha256).values_list(
            "artifact", flat=True
        )[0]
    )
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(
            "artifact_changed",
            gettext_noop("The stored model is not the one that was made; it is not used."),
        )
    return content
