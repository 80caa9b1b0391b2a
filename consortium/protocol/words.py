"""Words of a masked vector as bytes: the low bits of each, and nothing of the rest.

Sums of masked words are right modulo 2^b for every b, so a word crosses with the bits that the sum
of all members needs and no more. Bits of equal place stand together: first the low 64, 32, 16 and 8
bits of all words, as far as b has them, in big-endian order, then a row of single bits for each
place above, eight words a byte, the first word's bit on top and the last byte filled with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from consortium.protocol.errors import ProtocolRefused, gettext_noop

Words: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""uint32[P] or uint64[P]; sums wrap."""

_WHOLE = (64, 32, 16, 8)


def bytes_needed(length: int, bits: int) -> int:
    """Bytes of ``length`` words of ``bits`` bits each."""
    return length * (bits // 8) + bits % 8 * _row_bytes(length)


def words_to_bytes(words: Words, bits: int) -> bytes:
    """The low ``bits`` bits of every word."""
    rows = [
        (words >> shift if shift else words).astype(f">u{width // 8}")
        for shift, width in _parts(bits)
    ]
    if bits % 8:
        above = (words >> (bits - bits % 8)).astype(np.uint8)
        rows += [np.packbits(above & (1 << place)) for place in range(bits % 8)]
    return b"".join(row.tobytes() for row in rows)


def words_from_bytes(
    blob: bytes, length: int, bits: int, dtype: np.dtype[np.unsignedinteger[Any]]
) -> Words:
    """Read what ``words_to_bytes`` wrote; refused if it is of another length or not zero-filled."""
    expected = bytes_needed(length, bits)
    if len(blob) != expected:
        raise ProtocolRefused(
            "wrong_length",
            gettext_noop("The masked vector has %(length)s bytes instead of %(expected)s."),
            length=len(blob),
            expected=expected,
        )
    words, start = np.zeros(length, dtype), 0
    for shift, width in _parts(bits):
        part = np.frombuffer(blob, f">u{width // 8}", length, start)
        words |= np.left_shift(part, shift, dtype=dtype)
        start += part.nbytes
    if bits % 8:
        rows = np.frombuffer(blob, np.uint8, offset=start).reshape(bits % 8, -1)
        words |= np.left_shift(_above(rows, length), bits - bits % 8, dtype=dtype)
    return words


def _parts(bits: int) -> Iterator[tuple[int, int]]:
    """Place and width of the whole bytes among the low bits, the lowest first."""
    shift = 0
    for width in _WHOLE:
        if bits - shift >= width:
            yield shift, width
            shift += width


def _above(rows: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """The bits above the whole bytes: uint8[P] from a row of single bits for each place."""
    if (rows[:, -1] & ((1 << -length % 8) - 1)).any():
        raise ProtocolRefused(
            "padding_used", gettext_noop("The masked vector holds bits beyond its length.")
        )
    above = np.unpackbits(rows[0], count=length)
    for place, row in enumerate(rows[1:], start=1):
        bit = np.unpackbits(row, count=length)
        bit <<= place
        above |= bit
    return above


def _row_bytes(length: int) -> int:
    return -(-length // 8)
