"""What a model is before it has learned anything: agreed by all banks, part of the manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consortium.protocol.errors import Refused, gettext_noop

FAMILIES = ("mlp", "logistic", "elm", "trees", "blend")
MAX_FEATURES = 512
MAX_INPUTS = 8192
MAX_HIDDEN = 4096


@dataclass(frozen=True)
class ModelSpec:
    """Family, features in their order, width of the encoded input, and hidden layers.

    ``inputs`` is the encoder's width: 2·F for the standardiser. JSON-safe and free of floats.
    """

    family: str
    features: tuple[str, ...]
    inputs: int
    hidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise _bad_spec("family")
        if not 1 <= len(self.features) <= MAX_FEATURES or len(set(self.features)) != len(
            self.features
        ):
            raise _bad_spec("features")
        if not all(isinstance(name, str) and name for name in self.features):
            raise _bad_spec("features")
        if not _is_count(self.inputs, MAX_INPUTS, least=0):
            raise _bad_spec("inputs")
        if len(self.hidden) > 4 or not all(_is_count(size, MAX_HIDDEN) for size in self.hidden):
            raise _bad_spec("hidden")

    def to_json(self) -> dict[str, Any]:
        """Canonical, float-free description."""
        return {
            "family": self.family,
            "features": list(self.features),
            "inputs": self.inputs,
            "hidden": list(self.hidden),
        }

    @classmethod
    def from_json(cls, body: Any) -> ModelSpec:
        """Strict inverse of ``to_json``; raises Refused."""
        if not isinstance(body, dict) or set(body) != {"family", "features", "inputs", "hidden"}:
            raise _bad_spec("keys")
        if not isinstance(body["features"], list) or not isinstance(body["hidden"], list):
            raise _bad_spec("lists")
        if not all(isinstance(name, str) for name in body["features"]):
            raise _bad_spec("features")
        return cls(
            family=body["family"],
            features=tuple(body["features"]),
            inputs=body["inputs"],
            hidden=tuple(body["hidden"]),
        )


def _is_count(value: object, most: int, *, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _bad_spec(part: str) -> Refused:
    return Refused(
        "model_spec",
        gettext_noop("The model description is not valid: check its %(part)s."),
        field=part,
        part=part,
    )
