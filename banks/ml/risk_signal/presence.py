"""With how many banks a counterparty deals: summed first, to open nothing below the floor.

The floor stands on the counterparty over 30 days, not on the single cell: most cells with a fraud
have one bank, and a floor there would leave nothing to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from banks.ml.features.events import IntArray
from banks.ml.features.sums import Cells
from banks.ml.risk_signal.terms import MOST_DAYS, Terms
from banks.ml.risk_signal.windows import PRESENCE_DAYS, Span
from consortium.protocol.errors import Refused, gettext_noop

BITS: Final = 12  # of a value for each stretch: room for the count of 4,095 banks
PRESENCE_BITS: Final = 1 + BITS * MOST_DAYS // PRESENCE_DAYS


def presence_vector(terms: Terms, span: Span, volume: Cells, slots: IntArray) -> IntArray:
    """Whether this bank dealt with each slot in the 30 days that end with each stretch.

    One value a slot, int64[slots], whatever the span: 12 bits for each stretch. ``volume`` are the
    bank's own cells, ``slots`` the slot of each of its counterparties.
    """
    vector = np.zeros(terms.slots, np.int64)
    for place, chunk in enumerate(span.chunks):
        seen = chunk.looks_back
        here = (volume.bucket >= seen.first) & (volume.bucket < seen.end)
        vector[np.unique(slots[volume.counterparty[here]])] += 1 << BITS * place
    return vector


@dataclass(frozen=True, eq=False)
class Directory:
    """The slots that are open in each stretch of a span, ascending."""

    span: Span
    open_slots: tuple[IntArray, ...]

    @classmethod
    def from_presence(cls, terms: Terms, span: Span, opened: IntArray) -> Directory:
        """Read the opened sum of ``presence_vector``s: a slot is open from ``floor`` banks on."""
        if opened.shape != (terms.slots,):
            raise Refused("sum_length", gettext_noop("The opened sum has the wrong length."))
        banks = [opened >> BITS * place & (1 << BITS) - 1 for place in range(len(span.chunks))]
        return cls(span, tuple(np.flatnonzero(row >= terms.floor) for row in banks))

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
