"""Many small signed numbers in one plaintext, so that adding plaintexts adds each number.

A plaintext is a row of equal slots, the first one most significant. Slot 0 holds 1 and so counts
the contributors of a sum; slot 1 holds a context tag, so that a sum over mixed contexts shows;
the others hold biased values. Head-room above each value keeps up to ``MAX_CONTRIBUTORS`` of
them from running into the next slot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consortium.protocol.errors import ProtocolRefused, gettext_noop

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_CONTRIBUTORS = 256
TAG_BITS = 16
_RESERVED_SLOTS = 2
_EXACT_AS_FLOAT = 2**53


@dataclass(frozen=True)
class Layout:
    """Bits of a value and of the slot that holds the sum of up to 256 such values."""

    id: str
    value_bits: int
    slot_bits: int

    @property
    def largest(self) -> int:
        """The largest magnitude of one value; the range is symmetric."""
        return (1 << (self.value_bits - 1)) - 1

    @property
    def bias(self) -> int:
        """Added to every value, so that slots are never negative."""
        return 1 << (self.value_bits - 1)

    @property
    def slot_bytes(self) -> int:
        return self.slot_bits // 8

    def sum_bits(self, contributors: int) -> int:
        """Bits of a signed word that holds the sum of this many values, whatever they are."""
        return (contributors * self.largest).bit_length() + 1

    def to_wire(self) -> dict[str, object]:
        """A layout crosses the wire as its name."""
        return {"layout": self.id}

    @classmethod
    def from_wire(cls, wire: dict[str, object]) -> Layout:
        return layout_named(wire.get("layout"))


PACKED: dict[str, Layout] = {
    layout.id: layout
    for layout in (Layout("k16b24", 16, 24), Layout("k32b40", 32, 40), Layout("k56b64", 56, 64))
}
"""Slots of a Paillier plaintext, the narrowest first."""
WORDS: dict[str, Layout] = {
    layout.id: layout
    for layout in (Layout("k16w24", 16, 24), Layout("k24w32", 24, 32), Layout("k56w64", 56, 64))
}
"""Words of a masked vector, the narrowest first; on the wire as wide as the members' sum needs."""
LAYOUTS = PACKED | WORDS


LABORATORY_VALUES = 10_000
"""The longest vector that may be closed by the one shared key of ``paillier-phe``."""


def require_laboratory_size(length: int) -> None:
    """Refuse a vector that is too long for the laboratory protocol."""
    if length > LABORATORY_VALUES:
        raise ProtocolRefused(
            "laboratory_only",
            gettext_noop(
                "One shared key is for the laboratory: at most %(most)s values, not %(length)s."
            ),
            most=LABORATORY_VALUES,
            length=length,
        )


def layouts_of(protocol: str) -> dict[str, Layout]:
    """The layouts that a protocol's vectors can have."""
    return WORDS if protocol == "secagg" else PACKED


def layout_named(name: object) -> Layout:
    """The layout of that name, or a refusal."""
    if not isinstance(name, str) or name not in LAYOUTS:
        raise ProtocolRefused(
            "unknown_layout",
            gettext_noop("There is no layout %(name)s; the layouts are %(names)s."),
            field="layout",
            name=name,
            names=", ".join(LAYOUTS),
        )
    return LAYOUTS[name]


def smallest_layout(bits: int, protocol: str = "paillier-threshold") -> Layout:
    """The protocol's layout with the smallest slots that takes ``bits`` bits, sign included."""
    layouts = layouts_of(protocol).values()
    for layout in layouts:
        if bits <= layout.value_bits:
            return layout
    raise ProtocolRefused(
        "value_too_wide",
        gettext_noop("No layout holds values of %(bits)s bits; the widest holds %(most)s."),
        bits=bits,
        most=max(layout.value_bits for layout in layouts),
    )


@dataclass(frozen=True)
class UnpackedSum:
    """An opened sum: ``values`` int64[P], how many banks are in it, and the sum of their tags."""

    values: Integers
    contributors: int
    tag_sum: int


def context_tag(*parts: str) -> int:
    """A 16-bit tag of what a vector belongs to (task, round, model hash, key id)."""
    text = "\x1f".join(parts).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[: TAG_BITS // 8], "big")


def slots_per_ciphertext(layout: Layout, key_bits: int) -> int:
    """Slots in one plaintext below a modulus of ``key_bits`` bits."""
    return (key_bits - 1) // layout.slot_bits


def values_per_ciphertext(layout: Layout, key_bits: int) -> int:
    """Slots left for values beside the count and the tag."""
    values = slots_per_ciphertext(layout, key_bits) - _RESERVED_SLOTS
    if values < 1:
        raise ProtocolRefused(
            "key_too_small_for_layout",
            gettext_noop("A key of %(bits)s bits has no room for values in layout %(layout)s."),
            bits=key_bits,
            layout=layout.id,
        )
    return values


def ciphertexts_needed(length: int, layout: Layout, key_bits: int) -> int:
    """How many ciphertexts a vector of ``length`` values takes."""
    return -(-length // values_per_ciphertext(layout, key_bits))


def quantise(values: Floats, clip: float, layout: Layout) -> Integers:
    """Map float64[P] in ±``clip`` to int64[P] in ±``layout.largest``; beyond it is clipped.

    NaN and infinity are refused: they would become arbitrary integers that look like numbers.
    """
    _require_clip(clip)
    numbers = np.asarray(values, dtype=np.float64)
    low, high = numbers.min(initial=0.0), numbers.max(initial=0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ProtocolRefused(
            "not_finite",
            gettext_noop("Value %(index)s is not a finite number."),
            index=int(np.flatnonzero(~np.isfinite(numbers))[0]),
        )
    inside = -clip <= low and high <= clip
    scaled = (numbers if inside else np.clip(numbers, -clip, clip)) / clip
    scaled *= float(layout.largest)
    # In place: at these sizes a second array costs more than all of the arithmetic.
    integers = np.rint(scaled, out=scaled).view(np.int64)
    np.copyto(integers, scaled, casting="unsafe")
    if layout.largest > _EXACT_AS_FLOAT:
        np.clip(integers, -layout.largest, layout.largest, out=integers)
    return integers


def dequantise(sums: Integers, clip: float, layout: Layout) -> Floats:
    """Map integer sums int64[P] back to float64[P]: the sum of the quantised values."""
    _require_clip(clip)
    return np.asarray(sums, dtype=np.int64).astype(np.float64) * (clip / float(layout.largest))


def _require_clip(clip: float) -> None:
    if not (np.isfinite(clip) and clip > 0):
        raise ProtocolRefused(
            "bad_clip", gettext_noop("The clip must be a positive finite number."), field="clip"
        )


def pack(values: Integers, *, layout: Layout, key_bits: int, tag: int) -> list[int]:
    """Lay out signed int64[P] as plaintexts; the end of the last one is filled with zeros."""
    numbers = np.asarray(values)
    if numbers.dtype != np.int64 or numbers.ndim != 1 or not numbers.size:
        raise ProtocolRefused(
            "malformed_vector", gettext_noop("A vector must be a non-empty row of int64 values.")
        )
    outside = (numbers < -layout.largest) | (numbers > layout.largest)
    if outside.any():
        index = int(np.flatnonzero(outside)[0])
        raise ProtocolRefused(
            "value_out_of_range",
            gettext_noop("Value %(index)s is outside ±%(largest)s, the range of %(layout)s."),
            index=index,
            largest=layout.largest,
            layout=layout.id,
        )
    if not 0 <= tag < 1 << TAG_BITS:
        raise ProtocolRefused("bad_tag", gettext_noop("A context tag has 16 bits."), field="tag")
    room = values_per_ciphertext(layout, key_bits)
    slots = np.full((-(-numbers.size // room), room + _RESERVED_SLOTS), layout.bias, np.uint64)
    slots[:, 0] = 1
    slots[:, 1] = tag
    padded = np.zeros(len(slots) * room, np.int64)
    padded[: numbers.size] = numbers
    slots[:, _RESERVED_SLOTS:] += padded.view(np.uint64).reshape(len(slots), room)
    wide = slots.astype(">u8").view(np.uint8).reshape(*slots.shape, 8)
    narrow = np.ascontiguousarray(wide[..., 8 - layout.slot_bytes :]).reshape(len(slots), -1)
    return [int.from_bytes(row.tobytes(), "big") for row in narrow]


def unpack(
    plaintexts: Sequence[int], *, layout: Layout, key_bits: int, length: int, contributors: int
) -> UnpackedSum:
    """Read a sum of ``contributors`` packed vectors of ``length`` values.

    Refused: another number of plaintexts, a count other than ``contributors`` in any of them,
    tags that differ between them, a slot that no sum of honest values reaches.
    """
    if not 1 <= contributors <= MAX_CONTRIBUTORS:
        raise ProtocolRefused(
            "too_many_contributors",
            gettext_noop("A sum has 1 to %(most)s contributors, not %(count)s."),
            most=MAX_CONTRIBUTORS,
            count=contributors,
        )
    if length < 1 or len(plaintexts) != ciphertexts_needed(length, layout, key_bits):
        raise ProtocolRefused(
            "wrong_length",
            gettext_noop("%(count)s plaintexts do not hold %(length)s values in %(layout)s."),
            count=len(plaintexts),
            length=length,
            layout=layout.id,
        )
    slots = _slots(plaintexts, layout, values_per_ciphertext(layout, key_bits) + _RESERVED_SLOTS)
    if (slots[:, 0] != contributors).any():
        raise ProtocolRefused(
            "wrong_count",
            gettext_noop("The opened sum does not hold exactly %(count)s contributions."),
            count=contributors,
        )
    if (slots[:, 1] != slots[0, 1]).any():
        raise ProtocolRefused(
            "mixed_context", gettext_noop("The opened sum mixes ciphertexts of other contexts.")
        )
    biased = slots[:, _RESERVED_SLOTS:].ravel()
    low, high = contributors, contributors * ((1 << layout.value_bits) - 1)
    if ((biased < low) | (biased > high)).any():
        raise ProtocolRefused(
            "slot_overflow", gettext_noop("A value of the opened sum is outside its slot.")
        )
    # Modulo 2^64 and read as signed: exact for every layout, the widest sum has 64 bits.
    values = (biased - np.uint64(contributors * layout.bias)).view(np.int64)
    if values[length:].any():
        raise ProtocolRefused(
            "padding_used", gettext_noop("The opened sum holds values beyond its length.")
        )
    return UnpackedSum(values[:length].copy(), contributors, int(slots[0, 1]))


def _slots(plaintexts: Sequence[int], layout: Layout, count: int) -> NDArray[np.uint64]:
    """Plaintexts as uint64[ciphertexts, slots]."""
    width = count * layout.slot_bytes
    if any(not 0 <= plaintext < 1 << (8 * width) for plaintext in plaintexts):
        raise ProtocolRefused(
            "slot_overflow", gettext_noop("An opened plaintext is larger than its slots.")
        )
    raw = b"".join(int(plaintext).to_bytes(width, "big") for plaintext in plaintexts)
    wide = np.zeros((len(plaintexts), count, 8), np.uint8)
    wide[..., 8 - layout.slot_bytes :] = np.frombuffer(raw, np.uint8).reshape(
        len(plaintexts), count, layout.slot_bytes
    )
    return wide.view(">u8")[..., 0].astype(np.uint64)
