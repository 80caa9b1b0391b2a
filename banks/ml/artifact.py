"""The file a model travels and rests in (see ``container``): its SHA-256 is the model's name.

Nothing of a bank's own data belongs in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from banks.ml import container
from banks.ml.models.base import Model
from banks.ml.models.registry import build, describe, named_arrays

MAGIC = b"CONSMODL"


@dataclass(frozen=True, eq=False)
class ModelArtifact:
    """A model with float-free notes about where it came from (run, round, seeds, code version)."""

    model: Model
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The whole file."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        header = {"model": describe(self.model), "about": dict(self.about)}
        return container.write(MAGIC, header, named_arrays(self.model))

    @property
    def first_stage(self) -> str:
        """The version of the first stage that its features were made with; "" without one."""
        return str(self.about.get("first_stage", ""))

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex: the model's name in manifests, votes and receipts."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, content: bytes) -> ModelArtifact:
        """Parse a file; every deviation from the one valid encoding is Refused("artifact")."""
        try:
            header, arrays = container.read(MAGIC, content, {"model", "about"})
            if not isinstance(header["about"], dict):
                container.refuse("its header is not complete")
            artifact = cls(model=build(header["model"], arrays), about=header["about"])
        except (KeyError, TypeError, ValueError, OverflowError):
            container.refuse("its header is not complete")
        if artifact.to_bytes() != content:
            container.refuse("it is not in the canonical encoding")
        return artifact
