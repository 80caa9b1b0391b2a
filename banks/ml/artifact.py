"""The file a model travels and rests in: our own format, parsed strictly, never pickled.

    magic b"CONSMODL" | version u8 | header length u32 LE | header | arrays | SHA-256 of all before

The header is canonical JSON without floats; the arrays follow in its order, raw little-endian.
The same model has the same bytes at every bank, so its SHA-256 is its name. Nothing of a bank's
own data belongs in it.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from banks.ml.models.base import Model
from banks.ml.models.registry import build, describe, named_arrays
from consortium.protocol.errors import Refused, gettext_noop

MAGIC = b"CONSMODL"
VERSION = 1
PREFIX = struct.Struct("<8sBI")
CHECKSUM_BYTES = 32
MAX_BYTES = 256 << 20
MAX_HEADER_BYTES = 4 << 20
DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "i2": "<i2", "u1": "u1"}


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
        arrays = {name: _little_endian(array) for name, array in named_arrays(self.model).items()}
        header = _canonical(
            {
                "model": describe(self.model),
                "about": dict(self.about),
                "arrays": [
                    {"name": name, "dtype": array.dtype.str[1:], "shape": list(array.shape)}
                    for name, array in arrays.items()
                ],
            }
        )
        content = b"".join(
            [
                PREFIX.pack(MAGIC, VERSION, len(header)),
                header,
                *(a.tobytes() for a in arrays.values()),
            ]
        )
        return content + hashlib.sha256(content).digest()

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex: the model's name in manifests, votes and receipts."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, content: bytes) -> ModelArtifact:
        """Parse a file; every deviation from the one valid encoding is Refused("artifact")."""
        header, body = _open(content)
        try:
            arrays = dict(_read_arrays(header["arrays"], body))
            artifact = cls(model=build(header["model"], arrays), about=header["about"])
        except (KeyError, TypeError, ValueError, OverflowError):
            _refuse("its header is not complete")
        if artifact.to_bytes() != content:
            _refuse("it is not in the canonical encoding")
        return artifact


def _open(content: bytes) -> tuple[dict[str, Any], memoryview]:
    if not PREFIX.size + CHECKSUM_BYTES <= len(content) <= MAX_BYTES:
        _refuse("its length is impossible")
    magic, version, header_length = PREFIX.unpack_from(content)
    if magic != MAGIC:
        _refuse("it does not begin like one")
    if version != VERSION:
        _refuse("its format version is unknown")
    if hashlib.sha256(content[:-CHECKSUM_BYTES]).digest() != content[-CHECKSUM_BYTES:]:
        _refuse("its checksum is wrong")
    body_start = PREFIX.size + header_length
    if header_length > MAX_HEADER_BYTES or body_start > len(content) - CHECKSUM_BYTES:
        _refuse("its header is too long")
    try:
        header = json.loads(content[PREFIX.size : body_start])
    except (ValueError, RecursionError):
        _refuse("its header is not JSON")
    if not isinstance(header, dict) or set(header) != {"model", "about", "arrays"}:
        _refuse("its header is not complete")
    if not isinstance(header["about"], dict):
        _refuse("its header is not complete")
    return header, memoryview(content)[body_start:-CHECKSUM_BYTES]


def _read_arrays(entries: list[dict[str, Any]], body: memoryview) -> list[tuple[str, NDArray[Any]]]:
    arrays = []
    start = 0
    for entry in entries:
        dtype = np.dtype(DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        if len(shape) > 3 or not all(type(side) is int and side >= 0 for side in shape):
            _refuse("an array has an impossible shape")
        end = start + math.prod(shape) * dtype.itemsize
        if end > len(body):
            _refuse("it ends too early")
        array = np.frombuffer(body[start:end], dtype=dtype).reshape(shape)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            _refuse("it holds a value that is not a number")
        arrays.append((entry["name"], array))
        start = end
    if start != len(body):
        _refuse("it goes on after its end")
    return arrays


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    kind = np.dtype(array.dtype).str[1:]
    if kind not in DTYPES:
        raise TypeError(f"An artifact cannot hold {array.dtype} arrays.")
    return np.ascontiguousarray(array, dtype=DTYPES[kind])


def _canonical(body: Any) -> bytes:
    _forbid_floats(body)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _forbid_floats(body: Any) -> None:
    if isinstance(body, float):
        raise TypeError("An artifact's header holds no floats: their text differs by program.")
    children = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for child in children:
        _forbid_floats(child)


def _refuse(reason: str) -> NoReturn:
    raise Refused(
        "artifact",
        gettext_noop("This is not a whole model file: %(reason)s."),
        reason=reason,
    )
