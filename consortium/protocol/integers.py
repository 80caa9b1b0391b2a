"""Integers at the edge: strict hexadecimal text, fixed-width big-endian bytes, strict fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from consortium.protocol.errors import ProtocolRefused, gettext_noop

_HEXADECIMAL = re.compile(r"0|[1-9a-f][0-9a-f]*")
_HEXADECIMAL_BYTES = re.compile(r"(?:[0-9a-f]{2})*")


def to_hex(value: int) -> str:
    """Write a non-negative integer the one way that ``from_hex`` accepts."""
    if value < 0:
        raise ValueError("only non-negative integers cross the wire")
    return format(value, "x")


def from_hex(text: object, field: str, *, bits: int) -> int:
    """Read a non-negative integer of at most ``bits`` bits; one number has one spelling only."""
    if (
        not isinstance(text, str)
        or len(text) > (bits + 3) // 4
        or not _HEXADECIMAL.fullmatch(text)
        or (value := int(text, 16)).bit_length() > bits
    ):
        raise ProtocolRefused(
            "malformed_integer",
            gettext_noop(
                "%(name)s is not a lower-case hexadecimal number of at most %(bits)s bits."
            ),
            field=field,
            name=field,
            bits=bits,
        )
    return value


def bytes_from_hex(text: object, field: str) -> bytes:
    """Read bytes written as lower-case hexadecimal."""
    if not isinstance(text, str) or not _HEXADECIMAL_BYTES.fullmatch(text):
        raise ProtocolRefused(
            "malformed_bytes",
            gettext_noop("%(name)s is not bytes in lower-case hexadecimal."),
            field=field,
            name=field,
        )
    return bytes.fromhex(text)


def small_integer(value: object, field: str, *, low: int, high: int) -> int:
    """Read an integer written as a JSON number, within ``low`` to ``high`` inclusive."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ProtocolRefused(
            "malformed_integer",
            gettext_noop("%(name)s is not a whole number from %(low)s to %(high)s."),
            field=field,
            name=field,
            low=low,
            high=high,
        )
    return value


def exact_fields(wire: object, names: Sequence[str], what: str) -> Mapping[str, object]:
    """Return ``wire`` if it is an object with exactly these fields."""
    if not isinstance(wire, Mapping) or set(wire) != set(names):
        raise ProtocolRefused(
            "malformed_object",
            gettext_noop("%(what)s must have exactly the fields %(names)s."),
            what=what,
            names=", ".join(sorted(names)),
        )
    return wire


def to_fixed_bytes(values: Sequence[int], width: int) -> bytes:
    """Concatenate non-negative integers, each ``width`` bytes, big-endian."""
    return b"".join(int(value).to_bytes(width, "big") for value in values)


def from_fixed_bytes(blob: bytes, width: int, what: str) -> list[int]:
    """Split what ``to_fixed_bytes`` joined; a ragged end is refused."""
    if len(blob) % width:
        raise ProtocolRefused(
            "ragged_bytes",
            gettext_noop("%(what)s has %(length)s bytes, which is not a multiple of %(width)s."),
            what=what,
            length=len(blob),
            width=width,
        )
    return [int.from_bytes(blob[at : at + width], "big") for at in range(0, len(blob), width)]
