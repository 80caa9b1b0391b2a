"""Adding the banks' vectors as a round does: through the real packing, quantised as on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from banks.ml.encoding import IntArray
from consortium.protocol.packing import Layout, context_tag, layout_named, pack, unpack

KEY_BITS = 3072


@dataclass
class PackedAdder:
    """Packs, adds plaintexts, unpacks; counts values and openings for the report."""

    layout: Layout
    values: int = 0
    openings: int = 0

    @classmethod
    def of(cls, layout: str) -> PackedAdder:
        return cls(layout_named(layout))

    def __call__(self, vectors: Sequence[IntArray]) -> IntArray:
        """Sum int64 vectors of one length; raises ProtocolRefused where a value does not fit."""
        self.values += len(vectors[0])
        self.openings += 1
        tag = context_tag("benchmark", str(self.openings))
        packed = [
            pack(vector, layout=self.layout, key_bits=KEY_BITS, tag=tag) for vector in vectors
        ]
        return unpack(
            [sum(column) for column in zip(*packed, strict=True)],
            layout=self.layout,
            key_bits=KEY_BITS,
            length=len(vectors[0]),
            contributors=len(vectors),
        ).values


def pooled_sum(vectors: Sequence[IntArray]) -> IntArray:
    """The sum of a single party, which needs no packing."""
    return np.asarray(vectors[0])
