"""The key that only the members of a masked sum hold: it keeps the sum from the coordinator.

It hides sums, not uploads: those are masked in pairs whatever becomes of it. Every member holds it
whole, so the member that drew it knows no more than the others.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.integers import bytes_from_hex, exact_fields
from consortium.protocol.wire import Json

KEY_BITS = 256


@dataclass(frozen=True)
class GroupKey:
    """32 random bytes; ``commitment`` is all that is published of them."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> GroupKey:
        return cls(secrets.token_bytes(KEY_BITS // 8))

    @property
    def commitment(self) -> str:
        return hashlib.sha256(b"consortium/group-key/1\0" + self.secret).hexdigest()

    def to_wire(self) -> Json:
        return {"group_key": self.secret.hex()}

    @classmethod
    def from_wire(cls, wire: object) -> GroupKey:
        fields = exact_fields(wire, ["group_key"], "A group key")
        secret = bytes_from_hex(fields["group_key"], "group_key")
        if len(secret) * 8 != KEY_BITS:
            raise ProtocolRefused(
                "malformed_key", gettext_noop("A group key has %(bits)s bits."), bits=KEY_BITS
            )
        return cls(secret)


def check_public(public: Json, key_id: str, key_bits: int) -> None:
    """Refuse the public side of a group key that does not name the key it is for."""
    if public != {"commitment": key_id} or key_bits != KEY_BITS:
        raise ProtocolRefused(
            "bad_epoch", gettext_noop("The group key's commitment is not the key's id.")
        )


def check_secret(key: GroupKey, key_id: str) -> None:
    """Refuse a group key that is not the one that every member was promised."""
    if key.commitment != key_id:
        raise ProtocolRefused(
            "wrong_share",
            gettext_noop("The sealed group key is not the one that was published to everybody."),
        )
