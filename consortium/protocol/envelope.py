"""Who said what: canonical bytes, Ed25519 signatures, signed requests, framed binary bodies.

Every signature covers ``consortium:<kind>`` first, so that a signature made for one purpose is
worth nothing for another (domain separation). Ed25519: RFC 8032.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.wire import (
    PROTOCOL_VERSION,
    Format,
    Identifier,
    Json,
    Message,
    Record,
    Seconds,
    SignatureText,
    canonical,
    digest,
    malformed,
    parse,
)

__all__ = [
    "COORDINATOR",
    "RequestClaim",
    "Signed",
    "SigningKey",
    "VerifyKey",
    "canonical",
    "digest",
    "fingerprint",
    "frame",
    "parse",
    "sign",
    "sign_request",
    "unframe",
    "verify",
    "verify_request",
]

COORDINATOR = "00000000-0000-0000-0000-000000000000"
"""How the centre names itself where a bank would put its UUID."""

CLOCK_TOLERANCE_SECONDS = 300

M = TypeVar("M", bound=Message)

_RAW = serialization.Encoding.Raw
_HEADER_PREFIX = "Consortium-"
_FRAME_MAGIC = b"CSRT"
_FRAME_HEAD = struct.Struct(">4sBBI")  # magic, protocol version, number of blobs, header length
_BLOB_LENGTH = struct.Struct(">Q")
LARGEST_FRAME_HEADER = 256 * 1024


@dataclass(frozen=True)
class VerifyKey:
    """An Ed25519 public key; ``text`` is its 64 hex digits."""

    text: str

    def verifies(self, signature: bytes, message: bytes) -> bool:
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.text))
            key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text)


class SigningKey:
    """An Ed25519 private key. It lives in a file of its owner, never in a database."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def generate(cls) -> Self:
        key = Ed25519PrivateKey.generate()
        raw, none = serialization.PrivateFormat.Raw, serialization.NoEncryption()
        return cls(key.private_bytes(_RAW, raw, none))

    def to_bytes(self) -> bytes:
        """The 32 secret bytes, for the owner's key file."""
        raw, none = serialization.PrivateFormat.Raw, serialization.NoEncryption()
        return self._key.private_bytes(_RAW, raw, none)

    @property
    def verify_key(self) -> VerifyKey:
        public = self._key.public_key().public_bytes(_RAW, serialization.PublicFormat.Raw)
        return VerifyKey(public.hex())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def fingerprint(key_text: str) -> str:
    """Eight groups of four hex digits that two people can read to each other."""
    head = digest(bytes.fromhex(key_text))[:32]
    return " ".join(head[i : i + 4] for i in range(0, 32, 4))


@dataclass(frozen=True)
class Signed(Record):
    """A body with the name and signature of whoever stands by it."""

    body: Json
    signer: Identifier
    signature: SignatureText


def sign(message: Message, *, signer: str, key: SigningKey) -> Signed:
    """Sign ``message`` as ``signer`` (a bank's UUID, or ``COORDINATOR``)."""
    body = message.body()
    return Signed(body, signer, key.sign(_to_sign(message.kind, signer, body)).hex())


def verify(signed: Signed, kind: type[M], key: VerifyKey) -> M:
    """The message that ``signed`` holds, if ``key`` signed it; else ``ProtocolRefused``."""
    message = kind.from_wire(signed.body)
    to_sign = _to_sign(kind.kind, signed.signer, signed.body)
    if not key.verifies(bytes.fromhex(signed.signature), to_sign):
        raise ProtocolRefused(
            "bad_signature",
            _("The signature of %(signer)s under this %(kind)s is not valid."),
            signer=signed.signer,
            kind=kind.kind,
        )
    return message


def _to_sign(kind: str, signer: str, body: Json) -> bytes:
    return b"consortium:" + kind.encode() + b"\n" + canonical({"body": body, "signer": signer})


# Requests


@dataclass(frozen=True)
class RequestClaim(Record):
    """What the headers of a request claim, before the signature is checked."""

    bank: Identifier
    created: Seconds
    nonce: Annotated[str, Format("32 hex digits", r"[0-9a-f]{32}")]
    signature: SignatureText

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read the claim; an absent header is a refusal, never a skipped check."""
        found = {}
        for name in ("bank", "created", "nonce", "signature"):
            value = headers.get(f"{_HEADER_PREFIX}{name.capitalize()}")
            if not value:
                raise ProtocolRefused(
                    "unsigned_request",
                    _("The header %(header)s is missing: requests must be signed."),
                    header=f"{_HEADER_PREFIX}{name.capitalize()}",
                )
            found[name] = value
        created = found.pop("created")
        if not (created.isascii() and created.isdigit() and len(created) <= 12):
            raise malformed(f"{_HEADER_PREFIX}Created", _("a number of seconds"))
        return cls(created=int(created), **found)


def sign_request(
    method: str,
    path: str,
    body: bytes,
    *,
    bank: str,
    created: int,
    nonce: str,
    key: SigningKey,
) -> dict[str, str]:
    """Headers that sign one request.

    ``path`` includes the query; ``created`` is Unix time in seconds; ``nonce`` is 16 fresh random
    bytes as hex. The digest of ``body`` is signed, so no header needs to repeat it.
    """
    signature = key.sign(_request_to_sign(method, path, body, bank, created, nonce)).hex()
    claim = {"Bank": bank, "Created": str(created), "Nonce": nonce, "Signature": signature}
    return {f"{_HEADER_PREFIX}{name}": value for name, value in claim.items()}


def verify_request(
    claim: RequestClaim, method: str, path: str, body: bytes, *, key: VerifyKey, now: int
) -> None:
    """Refuse a request whose clock is off by more than 300 s or whose signature is not valid.

    Seeing a nonce a second time is for the caller, who remembers them.
    """
    if abs(now - claim.created) > CLOCK_TOLERANCE_SECONDS:
        raise ProtocolRefused(
            "clock",
            _("The request's time is %(seconds)s seconds off the centre's; set the clock."),
            seconds=claim.created - now,
        )
    message = _request_to_sign(method, path, body, claim.bank, claim.created, claim.nonce)
    if not key.verifies(bytes.fromhex(claim.signature), message):
        raise ProtocolRefused("bad_signature", _("The signature of this request is not valid."))


def _request_to_sign(
    method: str, path: str, body: bytes, bank: str, created: int, nonce: str
) -> bytes:
    claim = {
        "protocol_version": PROTOCOL_VERSION,
        "method": method.upper(),
        "path": path,
        "body": digest(body),
        "bank": bank,
        "created": created,
        "nonce": nonce,
    }
    return b"consortium:request\n" + canonical(claim)


# Binary bodies


def frame(header: Json, *blobs: bytes) -> bytes:
    """One binary body: magic, version, lengths, canonical JSON header, then the blobs."""
    head = canonical(header)
    lengths = b"".join(_BLOB_LENGTH.pack(len(blob)) for blob in blobs)
    start = _FRAME_HEAD.pack(_FRAME_MAGIC, PROTOCOL_VERSION, len(blobs), len(head))
    return b"".join((start, lengths, head, *blobs))


def unframe(data: bytes, limit: int) -> tuple[Json, tuple[bytes, ...]]:
    """Take a frame apart. Lengths are checked before anything is parsed.

    ``limit`` is the largest whole frame in bytes; the header may have 256 KiB of it.
    """
    if len(data) > limit:
        raise ProtocolRefused(
            "too_large",
            _("The body has %(size)s bytes; at most %(limit)s are taken."),
            size=len(data),
            limit=limit,
        )
    if len(data) < _FRAME_HEAD.size or not data.startswith(_FRAME_MAGIC):
        raise malformed("The body", _("a framed message"))
    _magic, version, count, header_length = _FRAME_HEAD.unpack_from(data)
    if version != PROTOCOL_VERSION:
        raise malformed("The frame's version", str(PROTOCOL_VERSION))
    start = _FRAME_HEAD.size + count * _BLOB_LENGTH.size
    if header_length > LARGEST_FRAME_HEADER or start > len(data):
        raise malformed("The frame's header", _("at most 256 KiB long"))
    lengths = [
        _BLOB_LENGTH.unpack_from(data, _FRAME_HEAD.size + i * _BLOB_LENGTH.size)[0]
        for i in range(count)
    ]
    if start + header_length + sum(lengths) != len(data):
        raise malformed("The body", _("as long as its lengths say"))
    head = data[start : start + header_length]
    header = parse(head)
    if not isinstance(header, dict) or canonical(header) != head:
        raise malformed("The frame's header", _("a canonical JSON object"))
    blobs, position = [], start + header_length
    for length in lengths:
        blobs.append(data[position : position + length])
        position += length
    return header, tuple(blobs)
