"""Masks for vectors of whole words: key agreement, key derivation, and the stream that is added.

X25519 (RFC 7748), HKDF-SHA-256 (RFC 5869), AES-256 in counter mode (SP 800-38A) read as
little-endian words. Every key is derived for one purpose in one context and masks one vector.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consortium.protocol.words import Words

_CHUNK_BYTES = 1 << 16
"""Small enough for stream and vector to stay in a core's cache."""
_ZEROS = memoryview(bytes(_CHUNK_BYTES))


def private_key(secret: bytes) -> X25519PrivateKey:
    """The X25519 key of 32 secret bytes; making it once serves every pair."""
    return X25519PrivateKey.from_private_bytes(secret)


def public_key(secret: bytes) -> bytes:
    """The X25519 public key of 32 secret bytes."""
    return private_key(secret).public_key().public_bytes_raw()


def agree(private: X25519PrivateKey, public: bytes) -> bytes:
    """What the owner of ``private`` and the owner of ``public`` both know.

    ``ValueError`` for a public key of small order, which would make it known to all.
    """
    return private.exchange(X25519PublicKey.from_public_bytes(public))


def derive(secret: bytes, context: bytes, purpose: str) -> bytes:
    """A 32-byte key from ``secret`` for one purpose in one context."""
    info = b"consortium/mask/2\0" + purpose.encode() + b"\0" + context
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)


def add_masks(vector: Words, add: Iterable[bytes] = (), subtract: Iterable[bytes] = ()) -> None:
    """Add and subtract the streams of keys to ``vector`` in place, modulo its word size."""
    streams: list[tuple[CipherContext, np.ufunc]] = [(_stream(key), np.add) for key in add]
    streams += [(_stream(key), np.subtract) for key in subtract]
    buffer = bytearray(_CHUNK_BYTES)
    drawn = np.frombuffer(buffer, np.dtype(vector.dtype).newbyteorder("<"))
    for start in range(0, len(vector), len(drawn)):
        part = vector[start : start + len(drawn)]
        for stream, combine in streams:
            stream.update_into(_ZEROS[: part.nbytes], buffer)
            combine(part, drawn[: len(part)], out=part)


def _stream(key: bytes) -> CipherContext:
    return Cipher(AES256(key), CTR(bytes(16))).encryptor()
