"""What the two Paillier protocols share: ciphertexts that the centre checks and adds."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from aggregation.models import Round
from consortium.protocol import packing, paillier, popk
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.packing import Layout
from consortium.protocol.paillier import PublicKey
from consortium.protocol.spec import Epoch, Manifest

PROOF_ALLOWANCE = 64 * 1024


def modulus(epoch: Epoch) -> bytes:
    """The key's n, checked against its id and length."""
    found = {"n": epoch.public.get("n")}
    key = PublicKey.from_wire(found, allow_small=settings.ALLOW_SMALL_KEYS)
    if (key.key_id, key.key_bits) != (epoch.key_id, epoch.key_bits):
        raise ProtocolRefused(
            "bad_epoch", gettext_noop("The key's id or length is not that of its modulus.")
        )
    return key.n.to_bytes(key.key_bits // 8, "big")


def key_of(round_: Round) -> PublicKey:
    """The key that ciphertexts are checked against (its size was checked when it was published)."""
    return PublicKey(int.from_bytes(round_.run.epoch.modulus, "big"), allow_small=True)


def ciphertexts(length: int, layout: Layout, key_bits: int) -> int:
    return packing.ciphertexts_needed(length, layout, key_bits)


def body_bytes(round_: Round, manifest: Manifest) -> int:
    return manifest.ciphertexts * key_of(round_).ciphertext_bytes


def contributors(round_: Round, manifest: Manifest) -> tuple[str, ...]:
    return manifest.members


def check(round_: Round, manifest: Manifest, bank: str, body: bytes, proof: bytes) -> None:
    key = key_of(round_)
    vector = paillier.from_bytes(body, key)
    paillier.check(vector, key)
    popk.verify_knowledge(key, vector, manifest.proof_context(bank), proof)


def add(round_: Round, bodies: Sequence[bytes]) -> bytes:
    key = key_of(round_)
    vectors = [paillier.from_bytes(body, key) for body in bodies]
    return paillier.to_bytes(paillier.add(vectors, key), key)
