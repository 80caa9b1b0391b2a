"""Boxes that only their recipient opens: X25519, HKDF-SHA256, ChaCha20-Poly1305.

A fresh sender key per call (as in ECIES and RFC 9180's base mode), so a box says nothing about who
closed it; the signed header that carries its digest does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _

_VERSION = b"\x01"
_KEY_BYTES = 32
_NONCE = bytes(12)  # the key of a box is used once
OVERHEAD_BYTES = len(_VERSION) + _KEY_BYTES + 16

_RAW = serialization.Encoding.Raw
_PUBLIC = serialization.PublicFormat.Raw


class SealingKey:
    """An X25519 private key; ``public`` is the 64 hex digits that others seal to."""

    def __init__(self, secret: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(secret)

    @classmethod
    def generate(cls) -> Self:
        return cls(_secret_bytes(X25519PrivateKey.generate()))

    def to_bytes(self) -> bytes:
        """The 32 secret bytes, for the owner's key file."""
        return _secret_bytes(self._key)

    @cached_property
    def public(self) -> str:
        return self._key.public_key().public_bytes(_RAW, _PUBLIC).hex()

    def exchange(self, sender: bytes) -> bytes:
        return self._key.exchange(X25519PublicKey.from_public_bytes(sender))


def seal(recipient: str, plaintext: bytes, context: bytes) -> bytes:
    """Close a box for ``recipient`` (public sealing key, hex) that opens under ``context`` only."""
    return seal_each([(recipient, plaintext, context)])[0]


def seal_each(messages: Sequence[tuple[str, bytes, bytes]]) -> list[bytes]:
    """A box for each (recipient, plaintext, context); ValueError if a recipient comes twice.

    One sender key serves them all, which halves the work and is as safe as fresh ones: each
    recipient's box has a key of its own (Bellare, Boldyreva, Staddon, PKC 2003).
    """
    if len({recipient.lower() for recipient, _plaintext, _context in messages}) < len(messages):
        raise ValueError("a box's key would be used twice")
    ephemeral = X25519PrivateKey.generate()
    sender = ephemeral.public_key().public_bytes(_RAW, _PUBLIC)
    return [_close(ephemeral, sender, *message) for message in messages]


def _close(
    ephemeral: X25519PrivateKey, sender: bytes, recipient: str, plaintext: bytes, context: bytes
) -> bytes:
    try:
        public = bytes.fromhex(recipient)
        secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise ProtocolRefused(
            "bad_sealing_key", _("The recipient's sealing key is not usable.")
        ) from None
    key = _derive(secret, sender, public, context)
    return _VERSION + sender + ChaCha20Poly1305(key).encrypt(_NONCE, plaintext, context)


def unseal(key: SealingKey, box: bytes, context: bytes) -> bytes:
    """The plaintext of ``box``; ``ProtocolRefused`` if it is another's, altered or of elsewhere."""
    refusal = ProtocolRefused(
        "sealed_for_another", _("The sealed message does not open: another recipient or altered.")
    )
    if len(box) < OVERHEAD_BYTES or not box.startswith(_VERSION):
        raise refusal
    sender, body = box[1 : 1 + _KEY_BYTES], box[1 + _KEY_BYTES :]
    try:
        derived = _derive(key.exchange(sender), sender, bytes.fromhex(key.public), context)
        return ChaCha20Poly1305(derived).decrypt(_NONCE, body, context)
    except (InvalidTag, ValueError):
        raise refusal from None


def _derive(secret: bytes, sender: bytes, recipient: bytes, context: bytes) -> bytes:
    info = b"consortium:seal\n" + sender + recipient + context
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret)


def _secret_bytes(key: X25519PrivateKey) -> bytes:
    return key.private_bytes(_RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption())
