"""Adding the banks' vectors as a round does: quantised and packed as on the wire, or encrypted.

``packed`` is exact and quick; ``masked`` and ``encrypted`` run the whole protocol among the banks
in one process: masked sums for long vectors, threshold Paillier for updates.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from banks.ml.encoding import IntArray
from banks.ml.summing import Adder
from consortium.protocol import paillier, secagg
from consortium.protocol.dealing import Dealing, deal, default_threshold
from consortium.protocol.packing import (
    Layout,
    ciphertexts_needed,
    context_tag,
    layout_named,
    pack,
    unpack,
)
from consortium.protocol.secagg_messages import Session, SharePair
from consortium.protocol.threshold import combine, partial_decryption

KEY_BITS = 3072
FEWEST_BANKS = 3
TASK = str(UUID(int=1 << 78 | 1 << 63))


@dataclass
class Counted:
    """An adder that counts the values of a bank and the openings, for the report."""

    adder: Adder
    values: int = 0
    openings: int = 0

    def __call__(self, vectors: Sequence[IntArray]) -> IntArray:
        self.values += len(vectors[0])
        self.openings += 1
        return self.adder(vectors)


def adder(layout: str, *, encrypt: bool, masked: bool = True) -> Counted:
    """Add through this layout; with ``encrypt`` by masks, or by Paillier where not ``masked``.

    Fewer than three banks, as a bank alone is, have nothing to hide from one another.
    """
    chosen = layout_named(layout)

    def add(vectors: Sequence[IntArray]) -> IntArray:
        if not encrypt or len(vectors) < FEWEST_BANKS:
            return packed_sum(vectors, chosen)
        return masked_sum(vectors) if masked else encrypted_sum(vectors, chosen)

    return Counted(add)


def packed_sum(vectors: Sequence[IntArray], layout: Layout) -> IntArray:
    """Pack, add the plaintexts, unpack."""
    packed = [_packed(vector, layout) for vector in vectors]
    return _unpacked([sum(column) for column in zip(*packed, strict=True)], vectors, layout)


def encrypted_sum(vectors: Sequence[IntArray], layout: Layout) -> IntArray:
    """Encrypt, add the ciphertexts, let a quorum open the sum."""
    dealing = _dealing(len(vectors))
    public, key = dealing.public, dealing.public.paillier
    uploads = []
    for vector in vectors:
        randomisers = paillier.Randomisers(key)
        randomisers.prepare(ciphertexts_needed(len(vector), layout, KEY_BITS))
        plaintexts = _packed(vector, layout)
        uploads.append(paillier.encrypt(plaintexts, key, randomisers.draw(len(plaintexts))))
    total = paillier.add(uploads, key)
    partials = {
        share.index: partial_decryption(public, share, total)
        for share in dealing.shares[: public.threshold]
    }
    return _unpacked(combine(public, total, partials), vectors, layout)


def masked_sum(vectors: Sequence[IntArray]) -> IntArray:
    """Mask in pairs, add, and recover only the masks' sum from the released shares."""
    banks = tuple(str(UUID(int=int(UUID(TASK)) + place)) for place in range(len(vectors)))
    session = Session(
        task=TASK,
        round=str(UUID(bytes=secrets.token_bytes(16), version=4)),
        members=banks,
        threshold=default_threshold(len(banks)) + 1,
        words="k56w64",
        length=len(vectors[0]),
    )
    group_key = secrets.token_bytes(32)
    own, public, held = {}, {}, {bank: dict[str, SharePair]() for bank in banks}
    for bank in banks:
        own[bank], public[bank], pairs = secagg.begin(session, bank)
        for pair in pairs:
            held[pair.holder][bank] = pair
    uploads = {
        bank: secagg.mask(session, bank, own[bank], public, group_key, vector)
        for bank, vector in zip(banks, vectors, strict=True)
    }
    released = [
        share for bank in banks for share in secagg.release(session, bank, held[bank], banks)
    ]
    return secagg.open_sum(session, public, uploads, released, group_key)


def _packed(vector: IntArray, layout: Layout) -> list[int]:
    return pack(vector, layout=layout, key_bits=KEY_BITS, tag=context_tag("benchmark"))


def _unpacked(plaintexts: list[int], vectors: Sequence[IntArray], layout: Layout) -> IntArray:
    return unpack(
        plaintexts,
        layout=layout,
        key_bits=KEY_BITS,
        length=len(vectors[0]),
        contributors=len(vectors),
    ).values


@cache
def _dealing(banks: int) -> Dealing:
    return deal(KEY_BITS, banks, default_threshold(banks))
