"""The laboratory protocol ``paillier-phe``: one key pair of python-paillier for everybody.

This is the custody of the 2018 paper that the field starts from: whoever holds the key opens
every bank's upload. It exists to compare with, never for anybody's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.integers import exact_fields, from_hex, to_hex
from consortium.protocol.packing import LABORATORY_VALUES
from consortium.protocol.paillier import (
    MAXIMUM_KEY_BITS,
    Ciphertext,
    PublicKey,
    check,
    phe_keypair,
    phe_private_key,
)

LARGEST_VECTOR = LABORATORY_VALUES


class SharedKey:
    """A whole private key in one hand."""

    def __init__(self, private: Any, public: PublicKey) -> None:
        self._private = private
        self.public = public

    @classmethod
    def generate(cls, key_bits: int, *, allow_small: bool = False) -> SharedKey:
        public, private = phe_keypair(key_bits)
        return cls(private, PublicKey(public.n, allow_small=allow_small))

    def to_wire(self) -> dict[str, object]:
        """The whole private key, to be sealed to each bank."""
        return {"p": to_hex(int(self._private.p)), "q": to_hex(int(self._private.q))}

    @classmethod
    def from_wire(cls, wire: object, *, allow_small: bool = False) -> SharedKey:
        fields = exact_fields(wire, ["p", "q"], "A shared key")
        p, q = (from_hex(fields[name], name, bits=MAXIMUM_KEY_BITS) for name in ("p", "q"))
        public = PublicKey(p * q, allow_small=allow_small)
        return cls(phe_private_key(p, q), public)

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
