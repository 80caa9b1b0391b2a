"""The laboratory protocol ``paillier-phe``: one key pair of python-paillier for everybody.

This is the custody of the 2018 paper that the field starts from: whoever holds the key opens
every bank's upload. It exists to compare with, never for anybody's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.paillier import Ciphertext, PublicKey, check, phe_keypair

LARGEST_VECTOR = 10_000


class SharedKey:
    """A whole private key in one hand."""

    def __init__(self, private: Any, public: PublicKey) -> None:
        self._private = private
        self.public = public

    @classmethod
    def generate(cls, key_bits: int, *, allow_small: bool = False) -> SharedKey:
        public, private = phe_keypair(key_bits)
        return cls(private, PublicKey(public.n, allow_small=allow_small))

    def __repr__(self) -> str:
        return f"<SharedKey {self.public.key_id[:12]}>"

    def open(self, ciphertexts: Sequence[Ciphertext]) -> list[int]:
        """Plaintexts of any ciphertexts at all, of one bank's too: that is the fault of it."""
        if len(ciphertexts) > LARGEST_VECTOR:
            raise ProtocolRefused(
                "laboratory_only",
                gettext_noop("The shared key is for the laboratory: at most %(most)s ciphertexts."),
                most=LARGEST_VECTOR,
            )
        check(ciphertexts, self.public)
        return [int(self._private.raw_decrypt(ciphertext)) for ciphertext in ciphertexts]
