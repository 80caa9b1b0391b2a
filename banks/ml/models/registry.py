"""Model families by name: how a model is described in a file and built from it again."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import Arrays, Encoder, Standardiser
from banks.ml.models.base import EncodedModel, Model
from banks.ml.models.blend import Blend
from banks.ml.models.elm import ELM
from banks.ml.models.logistic import Logistic
from banks.ml.models.mlp import MLP
from banks.ml.models.spec import ModelSpec
from banks.ml.models.trees import Trees
from banks.ml.piecewise import PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop

ENCODERS = {encoder.kind: encoder for encoder in (Standardiser, PiecewiseLinear)}
MODELS = {model.family: model for model in (MLP, Logistic, ELM, Trees)}
ENCODER_PREFIX = "encoder."
WEIGHTS = "weights"


def describe(model: Model) -> dict[str, Any]:
    """Float-free JSON from which, with its arrays, the model can be built again."""
    if isinstance(model, Blend):
        return {"parts": [describe(part) for part in model.parts]}
    return {"spec": model.spec.to_json(), "encoder": cast(EncodedModel, model).encoder.kind}


def named_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """All arrays of the model and its encoder, or of its parts, in name order."""
    if isinstance(model, Blend):
        named = {WEIGHTS: model.weights}
        for index, part in enumerate(model.parts):
            named |= {_part(index) + name: array for name, array in named_arrays(part).items()}
    else:
        encoded = cast(EncodedModel, model)
        named = {ENCODER_PREFIX + name: array for name, array in encoded.encoder.arrays().items()}
        named |= encoded.arrays()
    return dict(sorted(named.items()))


def size_of(model: Model) -> int:
    """How many numbers were learned, beside those of the encoding."""
    named = named_arrays(model)
    return sum(array.size for name, array in named.items() if ENCODER_PREFIX not in name)


def build(description: dict[str, Any], arrays: Arrays) -> Model:
    """Inverse of ``describe`` and ``named_arrays``; raises Refused or KeyError."""
    if "parts" in description:
        return _build_blend(description["parts"], arrays)
    spec = ModelSpec.from_json(description["spec"])
    encoder = _build_encoder(description["encoder"], _under(ENCODER_PREFIX, arrays))
    if spec.family not in MODELS:
        raise Refused("family", gettext_noop("The model's family is unknown."))
    return MODELS[spec.family].from_arrays(spec, encoder, arrays)


def _build_blend(parts: list[dict[str, Any]], arrays: Arrays) -> Blend:
    if any("parts" in part for part in parts):
        raise Refused("blend", gettext_noop("A blend cannot hold another blend."))
    models = [build(part, _under(_part(index), arrays)) for index, part in enumerate(parts)]
    return Blend(tuple(models), np.asarray(arrays[WEIGHTS], dtype="<f8"))


def _build_encoder(kind: str, arrays: Arrays) -> Encoder:
    if kind not in ENCODERS:
        raise Refused("encoder", gettext_noop("The model's encoding is unknown."))
    return ENCODERS[kind].from_arrays(arrays)


def _part(index: int) -> str:
    return f"part{index}."


def _under(prefix: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin so, without the beginning."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
