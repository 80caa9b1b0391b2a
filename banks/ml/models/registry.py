"""Model families by name: how a model is described in a file and built from it again."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from banks.ml.encoding import Arrays, Encoder, Standardiser
from banks.ml.models.base import Model
from banks.ml.models.logistic import Logistic
from banks.ml.models.mlp import MLP
from banks.ml.models.spec import ModelSpec
from banks.ml.models.trees import Trees
from banks.ml.piecewise import PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop

ENCODERS = {encoder.kind: encoder for encoder in (Standardiser, PiecewiseLinear)}
MODELS = {model.family: model for model in (MLP, Logistic, Trees)}
ENCODER_PREFIX = "encoder."


def describe(model: Model) -> dict[str, Any]:
    """Float-free JSON from which, with its arrays, the model can be built again."""
    return {"spec": model.spec.to_json(), "encoder": model.encoder.kind}


def named_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """All arrays of the model and its encoder, in name order."""
    encoder = {ENCODER_PREFIX + name: array for name, array in model.encoder.arrays().items()}
    return dict(sorted({**encoder, **model.arrays()}.items()))


def build(description: dict[str, Any], arrays: Arrays) -> Model:
    """Inverse of ``describe`` and ``named_arrays``; raises Refused or KeyError."""
    spec = ModelSpec.from_json(description["spec"])
    encoder = _build_encoder(description["encoder"], arrays)
    learned = {name: array for name, array in arrays.items() if not _is_encoders(name)}
    return MODELS[spec.family].from_arrays(spec, encoder, learned)


def _build_encoder(kind: str, arrays: Arrays) -> Encoder:
    if kind not in ENCODERS:
        raise Refused("encoder", gettext_noop("The model's encoding is unknown."))
    own = {
        name.removeprefix(ENCODER_PREFIX): array
        for name, array in arrays.items()
        if _is_encoders(name)
    }
    return ENCODERS[kind].from_arrays(own)


def _is_encoders(name: str) -> bool:
    return name.startswith(ENCODER_PREFIX)
