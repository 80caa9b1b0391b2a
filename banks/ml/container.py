"""Named arrays with float-free notes as one file: our own format, parsed strictly, never pickled.

    magic | version u8 | header length u32 LE | header | arrays | SHA-256 of all before

The header is canonical JSON without floats; the arrays follow in its order, raw little-endian.
The same content has the same bytes at every bank, so its SHA-256 is its name.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from consortium.protocol.errors import Refused, gettext_noop

VERSION = 1
PREFIX = struct.Struct("<8sBI")
CHECKSUM_BYTES = 32
MAX_BYTES = 256 << 20
MAX_HEADER_BYTES = 4 << 20
DTYPES = {"f4": "<f4", "f8": "<f8", "i8": "<i8", "i4": "<i4", "i2": "<i2", "u1": "u1"}
Named = Mapping[str, NDArray[Any]]


def write(magic: bytes, header: Mapping[str, Any], named: Named) -> bytes:
    """The whole file; ``header`` gets the list of ``arrays`` beside its own entries."""
    arrays = {name: _little_endian(array) for name, array in named.items()}
    listed = [
        {"name": name, "dtype": array.dtype.str[1:], "shape": list(array.shape)}
        for name, array in arrays.items()
    ]
    head = _canonical({**header, "arrays": listed})
    raw = [array.tobytes() for array in arrays.values()]
    content = b"".join([PREFIX.pack(magic, VERSION, len(head)), head, *raw])
    return content + hashlib.sha256(content).digest()


def read(
    magic: bytes, content: bytes, entries: set[str]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header (with exactly these entries beside its arrays) and the arrays.

    Every deviation from the format is Refused("artifact"); whether the encoding is the canonical
    one shows when the caller writes it again.
    """
    if not PREFIX.size + CHECKSUM_BYTES <= len(content) <= MAX_BYTES:
        refuse("its length is impossible")
    found, version, header_length = PREFIX.unpack_from(content)
    if found != magic:
        refuse("it does not begin like one")
    if version != VERSION:
        refuse("its format version is unknown")
    if hashlib.sha256(content[:-CHECKSUM_BYTES]).digest() != content[-CHECKSUM_BYTES:]:
        refuse("its checksum is wrong")
    body_start = PREFIX.size + header_length
    if header_length > MAX_HEADER_BYTES or body_start > len(content) - CHECKSUM_BYTES:
        refuse("its header is too long")
    try:
        header = json.loads(content[PREFIX.size : body_start])
    except (ValueError, RecursionError):
        refuse("its header is not JSON")
    if not isinstance(header, dict) or set(header) != {*entries, "arrays"}:
        refuse("its header is not complete")
    body = memoryview(content)[body_start:-CHECKSUM_BYTES]
    return header, dict(_read_arrays(header["arrays"], body))


def refuse(reason: str) -> NoReturn:
    """Say that a file is not one of ours."""
    raise Refused(
        "artifact",
        gettext_noop("This is not a whole model file: %(reason)s."),
        reason=reason,
    )


def _read_arrays(entries: list[dict[str, Any]], body: memoryview) -> list[tuple[str, NDArray[Any]]]:
    arrays = []
    start = 0
    for entry in entries:
        dtype = np.dtype(DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        if len(shape) > 3 or not all(type(side) is int and side >= 0 for side in shape):
            refuse("an array has an impossible shape")
        end = start + math.prod(shape) * dtype.itemsize
        if end > len(body):
            refuse("it ends too early")
        array = np.frombuffer(body[start:end], dtype=dtype).reshape(shape)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            refuse("it holds a value that is not a number")
        arrays.append((entry["name"], array))
        start = end
    if start != len(body):
        refuse("it goes on after its end")
    return arrays


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    kind = np.dtype(array.dtype).str[1:]
    if kind not in DTYPES:
        raise TypeError(f"A model file cannot hold {array.dtype} arrays.")
    return np.ascontiguousarray(array, dtype=DTYPES[kind])


def _canonical(body: Any) -> bytes:
    _forbid_floats(body)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _forbid_floats(body: Any) -> None:
    if isinstance(body, float):
        raise TypeError("A model file's header holds no floats: their text differs by program.")
    children = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    for child in children:
        _forbid_floats(child)
