"""Masks for vectors of whole words: key agreement, key derivation, and the stream that is added.

X25519 (RFC 7748), HKDF-SHA-256 (RFC 5869), AES-256 in counter mode (SP 800-38A) read as
little-endian words. Every key is derived for one purpose in one context and masks one vector.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""uint32[P] or uint64[P]; sums wrap."""

_CHUNK_BYTES = 1 << 16
"""Small enough for stream and vector to stay in a core's cache."""
_ZEROS = bytes(_CHUNK_BYTES)


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
    info = b"consortium/mask/1\0" + purpose.encode() + b"\0" + context
    return HKDF(SHA256(), 32, salt=None, info=info).derive(secret)


def add_mask(vector: Words, key: bytes, *, subtract: bool = False) -> None:
    """Add (or subtract) the stream of ``key`` to ``vector`` in place, modulo its word size."""
    stream = Cipher(AES256(key), CTR(bytes(16))).encryptor()
    buffer = bytearray(_CHUNK_BYTES)
    word = np.dtype(vector.dtype).newbyteorder("<")
    step = _CHUNK_BYTES // word.itemsize
    combine = np.subtract if subtract else np.add
    for start in range(0, len(vector), step):
        part = vector[start : start + step]
        size = part.nbytes
        stream.update_into(_ZEROS[:size] if size < _CHUNK_BYTES else _ZEROS, buffer)
        combine(part, np.frombuffer(buffer, word, len(part)), out=part)
