"""What banks tell one another about a masked sum, besides the masked vectors themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.packing import MAX_CONTRIBUTORS, WORDS, Layout
from consortium.protocol.wire import Digest, Format, Identifier, KeyText, Positive, Record
from consortium.protocol.words import bytes_needed

Kind = Literal["key", "seed"]
WordLayout = Literal["k16w24", "k24w32", "k56w64"]
ShareText = Annotated[str, Format("a share", r"[0-9a-f]{132}")]
Secret = Annotated[str, Format("64 hex digits", r"[0-9a-f]{64}")]


@dataclass(frozen=True)
class Session(Record):
    """What one masked sum is about; every mask and commitment depends on all of it."""

    task: Identifier
    round: Identifier
    members: tuple[Identifier, ...]
    threshold: Positive
    words: WordLayout
    length: Positive

    def invariants(self) -> None:
        count = len(self.members)
        if list(self.members) != sorted(set(self.members)) or not 3 <= count <= MAX_CONTRIBUTORS:
            raise ProtocolRefused(
                "malformed_session",
                gettext_noop("A masked sum has 3 to 256 different members, in order."),
                field="members",
            )
        if not count < 2 * self.threshold <= 2 * count:
            raise ProtocolRefused(
                "malformed_session",
                gettext_noop("The threshold of a masked sum is a majority of its members."),
                field="threshold",
            )

    @property
    def layout(self) -> Layout:
        return WORDS[self.words]

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        return np.dtype(np.uint32) if self.layout.slot_bits <= 32 else np.dtype(np.uint64)

    @property
    def word_bits(self) -> int:
        """Bits of a word on the wire: what the sum of all members' values takes."""
        return self.layout.sum_bits(len(self.members))

    @property
    def body_bytes(self) -> int:
        """Bytes of a masked vector on the wire."""
        return bytes_needed(self.length, self.word_bits)

    @cached_property
    def context(self) -> bytes:
        return hashlib.sha256(self.to_bytes()).digest()


@dataclass(frozen=True)
class RoundSecrets(Record):
    """One bank's secrets of one session: mask key and seed of its own mask. Never leave it."""

    mask_key: Secret = field(repr=False)
    seed: Secret = field(repr=False)


@dataclass(frozen=True)
class SharePair(Record):
    """Shares of ``owner``'s mask key and seed for ``holder``; crosses sealed to the holder only."""

    owner: Identifier
    holder: Identifier
    key: ShareText = field(repr=False)
    seed: ShareText = field(repr=False)


@dataclass(frozen=True)
class ShareCommitment(Record):
    """Hashes of the two shares that ``holder`` was given."""

    holder: Identifier
    key: Digest
    seed: Digest


@dataclass(frozen=True)
class Advertisement(Record):
    """What a bank publishes (signed) before anybody masks: public key and commitments."""

    owner: Identifier
    mask_key: KeyText
    seed: Digest
    shares: tuple[ShareCommitment, ...]


@dataclass(frozen=True)
class ReleasedShare(Record):
    """One share that its holder gives out after the freeze."""

    owner: Identifier
    holder: Identifier
    kind: Kind
    share: ShareText
