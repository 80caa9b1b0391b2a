"""What each protocol of a sum must do for the centre. Modules of this package are the protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from aggregation.models import Round
from consortium.protocol.packing import Layout
from consortium.protocol.spec import Epoch, Manifest

Phase: TypeAlias = Round.Phase


class CentreProtocol(Protocol):
    """The centre's side of a protocol; ``phases`` are those of a round, in order."""

    phases: tuple[Phase, ...]

    def modulus(self, epoch: Epoch) -> bytes:
        """What uploads are checked against; Refused where the published key is malformed."""

    def ciphertexts(self, length: int, layout: Layout, key_bits: int) -> int:
        """How many ciphertexts hold a vector; 0 where it is masked. Refused where none may."""

    def body_bytes(self, round_: Round, manifest: Manifest) -> int:
        """The exact length of an upload's closed vector."""

    def contributors(self, round_: Round, manifest: Manifest) -> tuple[str, ...]:
        """Who can contribute now; the round freezes at once when all of them have."""

    def check(
        self, round_: Round, manifest: Manifest, bank: str, body: bytes, proof: bytes
    ) -> None:
        """Refuse a closed vector that is not well made."""

    def add(self, round_: Round, bodies: Sequence[bytes]) -> bytes:
        """The closed sum, as every bank adds it itself."""

    def payload_bytes(self, round_: Round, manifest: Manifest) -> int:
        """The most bytes that one bank gives another towards opening the sum."""

    def openers(self, round_: Round, present: Sequence[str]) -> list[str]:
        """Whose turn it is to give towards the sum, of the key holders that are ``present``."""

    def needed(self, manifest: Manifest) -> int:
        """How many must give before the banks can open the sum."""
