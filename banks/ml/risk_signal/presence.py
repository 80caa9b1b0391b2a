"""With how many banks a counterparty deals: summed first, to open nothing below the floor.

The floor stands on the counterparty over 30 days, not on the single cell: most cells with a fraud
have one bank, and a floor there would leave nothing to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from banks.ml.features.events import IntArray
from banks.ml.features.sums import Cells
from banks.ml.risk_signal.terms import Terms
from banks.ml.risk_signal.windows import Span
from consortium.protocol.errors import Refused, gettext_noop


def presence_length(terms: Terms, span: Span) -> int:
    """Values in the vector: one for each slot and stretch of the span."""
    return len(span.chunks) * terms.slots


def presence_vector(terms: Terms, span: Span, volume: Cells, slots: IntArray) -> IntArray:
    """1 where this bank dealt with a slot in the 30 days that end with the stretch, else 0.

    ``volume`` are the bank's own cells, ``slots`` the slot of each of its counterparties.
    """
    vector = np.zeros((len(span.chunks), terms.slots), np.int64)
    for row, chunk in zip(vector, span.chunks, strict=True):
        seen = chunk.looks_back
        here = (volume.bucket >= seen.first) & (volume.bucket < seen.end)
        row[slots[volume.counterparty[here]]] = 1
    return vector.ravel()


@dataclass(frozen=True, eq=False)
class Directory:
    """The slots that are open in each stretch of a span, ascending."""

    span: Span
    open_slots: tuple[IntArray, ...]

    @classmethod
    def from_presence(cls, terms: Terms, span: Span, opened: IntArray) -> Directory:
        """Read the opened sum of ``presence_vector``s: a slot is open from ``floor`` banks on."""
        if opened.shape != (presence_length(terms, span),):
            raise Refused("sum_length", gettext_noop("The opened sum has the wrong length."))
        rows = opened.reshape(len(span.chunks), terms.slots)
        return cls(span, tuple(np.flatnonzero(row >= terms.floor) for row in rows))

    def __len__(self) -> int:
        return sum(len(slots) for slots in self.open_slots)

    @property
    def cells(self) -> int:
        """Open slots times buckets."""
        return sum(
            len(slots) * (chunk.end - chunk.first)
            for chunk, slots in zip(self.span.chunks, self.open_slots, strict=True)
        )

    def to_bytes(self) -> bytes:
        """The same bytes at every bank: counts, then slots, as big-endian 32-bit words."""
        counts = np.array([len(slots) for slots in self.open_slots], ">u4")
        return b"".join(
            [counts.tobytes(), *(slots.astype(">u4").tobytes() for slots in self.open_slots)]
        )

    @classmethod
    def from_bytes(cls, span: Span, content: bytes) -> Directory:
        """Inverse of ``to_bytes``; raises Refused."""
        words = np.frombuffer(content, ">u4").astype(np.int64) if len(content) % 4 == 0 else None
        chunks = len(span.chunks)
        if words is None or len(words) < chunks or len(words) != chunks + words[:chunks].sum():
            raise Refused(
                "signal_directory", gettext_noop("The list of open counterparties is damaged.")
            )
        return cls(span, tuple(np.split(words[chunks:], np.cumsum(words[:chunks])[:-1])))
