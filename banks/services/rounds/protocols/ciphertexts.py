"""What the two Paillier protocols share: packed ciphertexts with a proof of plaintext knowledge."""

from __future__ import annotations

from collections.abc import Sequence

from banks.services.rounds.protocols.interface import IntArray, Terms, Upload
from consortium.protocol import paillier, popk
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.packing import layout_named, pack, unpack
from consortium.protocol.paillier import Ciphertext, PublicKey
from consortium.protocol.spec import FreezeCertificate

PROOF_ALLOWANCE = 1 << 20


def close(terms: Terms, key: PublicKey, vector: IntArray) -> Upload:
    """Pack, encrypt, and prove that this bank knows what is inside."""
    manifest = terms.manifest
    plaintexts = pack(
        vector,
        layout=layout_named(manifest.layout),
        key_bits=manifest.key_bits,
        tag=manifest.context_tag,
    )
    randomness = paillier.Randomisers(key).draw(len(plaintexts))
    ciphertexts = paillier.encrypt(plaintexts, key, randomness)
    context = manifest.proof_context(terms.node.identity)
    proof = popk.prove_knowledge(key, plaintexts, randomness, ciphertexts, context)
    return Upload(paillier.to_bytes(ciphertexts, key), proof)


def largest_upload(terms: Terms, key: PublicKey) -> int:
    return terms.manifest.ciphertexts * key.ciphertext_bytes + PROOF_ALLOWANCE


def check(terms: Terms, key: PublicKey, bank: str, upload: Upload) -> list[Ciphertext]:
    vector = paillier.from_bytes(upload.body, key)
    if len(vector) != terms.manifest.ciphertexts:
        raise ProtocolRefused(
            "bad_submission", gettext_noop("The submission is not the one that the list names.")
        )
    paillier.check(vector, key)
    popk.verify_knowledge(key, vector, terms.manifest.proof_context(bank), upload.proof)
    return vector


def add(key: PublicKey, vectors: Sequence[list[Ciphertext]]) -> bytes:
    return paillier.to_bytes(paillier.add(vectors, key), key)


def unpacked(terms: Terms, certificate: FreezeCertificate, plaintexts: Sequence[int]) -> IntArray:
    """The values of an opened sum in which every count and every context tag is right."""
    manifest, count = terms.manifest, len(certificate.proposal.banks)
    total = unpack(
        plaintexts,
        layout=layout_named(manifest.layout),
        key_bits=manifest.key_bits,
        length=manifest.length,
        contributors=count,
    )
    if total.tag_sum != count * manifest.context_tag:
        raise ProtocolRefused(
            "mixed_contexts",
            gettext_noop("The sum holds a vector of another task, round, model or key; stop."),
        )
    return total.values
