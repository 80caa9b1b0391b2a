"""Fiat–Shamir: challenges from everything said so far.

Items are length-prefixed, so two different statements never hash alike. The proofs built on it
are strong Fiat–Shamir: statement, context and commitments all enter (Bernhard, Pereira,
Warinschi, ASIACRYPT 2012).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from consortium.protocol.integers import to_fixed_bytes

CHALLENGE_BITS = 128
"""Size of challenges and batch weights; smaller than every prime factor of the group orders."""

HIDING_BITS = 128
"""Extra bits of a mask, so that a response says nothing (statistical distance 2^-128)."""


class Transcript:
    """Absorbs labelled bytes and integers; yields challenges that depend on all of them."""

    def __init__(self, protocol: str) -> None:
        self._hash = hashlib.shake_256()
        self.absorb(protocol.encode())

    def absorb(self, *items: bytes) -> None:
        """Add byte strings, each with its length in front."""
        for item in items:
            self._hash.update(len(item).to_bytes(8, "big"))
            self._hash.update(item)

    def absorb_integers(self, values: Sequence[int], width: int) -> None:
        """Add a vector of non-negative integers of ``width`` bytes each."""
        self.absorb(to_fixed_bytes(values, width))

    def challenge(self) -> int:
        """One challenge of ``CHALLENGE_BITS`` bits."""
        return self.challenges(1)[0]

    def challenges(self, count: int) -> list[int]:
        """``count`` challenges; whatever follows depends on the fact that they were asked for."""
        width = CHALLENGE_BITS // 8
        self.absorb(b"challenge", count.to_bytes(8, "big"))
        stream = self._hash.digest(width * count)
        return [int.from_bytes(stream[i * width : (i + 1) * width], "big") for i in range(count)]
