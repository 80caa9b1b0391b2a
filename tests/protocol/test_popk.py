from __future__ import annotations

import pytest

from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.popk import prove_knowledge, verify_knowledge
from tests.protocol.keys import shared_key

KEY = shared_key().public.paillier
RANDOMISERS = paillier.Randomisers(KEY)
PLAINTEXTS = [0, 1, KEY.n - 1, 123456789]
CONTEXT = b"bank A, task 1, round 3"


@pytest.fixture(scope="module")
def upload():
    randomness = RANDOMISERS.draw(len(PLAINTEXTS))
    ciphertexts = paillier.encrypt(PLAINTEXTS, KEY, randomness)
    return ciphertexts, prove_knowledge(KEY, PLAINTEXTS, randomness, ciphertexts, CONTEXT)


def refused(ciphertexts, context, proof):
    with pytest.raises(ProtocolRefused) as refusal:
        verify_knowledge(KEY, ciphertexts, context, proof)
    return refusal.value.code == "knowledge_not_proven"


def test_who_encrypted_can_prove_it(upload):
    verify_knowledge(KEY, upload[0], CONTEXT, upload[1])


def test_a_proof_for_one_ciphertext_holds_too():
    randomness = RANDOMISERS.draw(1)
    ciphertexts = paillier.encrypt([7], KEY, randomness)
    proof = prove_knowledge(KEY, [7], randomness, ciphertexts, CONTEXT)
    verify_knowledge(KEY, ciphertexts, CONTEXT, proof)


@pytest.mark.parametrize(
    "context", [b"bank B, task 1, round 3", b"bank A, task 2, round 3", b"bank A, task 1, round 4"]
)
def test_an_upload_replayed_by_another_sender_or_elsewhere_is_refused(upload, context):
    assert refused(upload[0], context, upload[1])


def test_a_rerandomised_copy_is_refused(upload):
    masks = paillier.encrypt([0] * 4, KEY, RANDOMISERS.draw(4))
    assert refused(paillier.add([upload[0], masks], KEY), b"bank B, task 1, round 3", upload[1])


def test_an_inverted_upload_that_cancels_its_victim_is_refused(upload):
    """Bank B sends c_A^-1 · Enc(m_B) with the best proof that it can make: of its own part."""
    plaintexts = [10, 20, 30, 40]
    randomness = RANDOMISERS.draw(4)
    own = paillier.encrypt(plaintexts, KEY, randomness)
    inverted = [pow(ciphertext, -1, KEY.n_squared) for ciphertext in upload[0]]
    cancelling = paillier.add([inverted, own], KEY)
    paillier.check(cancelling, KEY)
    proof = prove_knowledge(KEY, plaintexts, randomness, cancelling, b"bank B")
    assert refused(cancelling, b"bank B", proof)


def test_one_unknown_plaintext_among_known_ones_is_refused(upload):
    plaintexts = [5, 6]
    randomness = RANDOMISERS.draw(2)
    own = paillier.encrypt(plaintexts, KEY, randomness)
    mixed = [own[0], upload[0][1]]
    assert refused(mixed, b"bank B", prove_knowledge(KEY, plaintexts, randomness, mixed, b"bank B"))


def test_reordered_or_dropped_ciphertexts_are_refused(upload):
    ciphertexts, proof = upload
    assert refused(ciphertexts[::-1], CONTEXT, proof)
    assert refused(ciphertexts[:-1], CONTEXT, proof)


def test_any_flipped_bit_of_the_proof_is_refused(upload):
    ciphertexts, proof = upload
    for at in range(0, len(proof), 7):
        forged = bytearray(proof)
        forged[at] ^= 1
        assert refused(ciphertexts, CONTEXT, bytes(forged))


@pytest.mark.parametrize("wrong", [b"", b"\0" * 143, b"\0" * 144, b"\xff" * 144, b"\0" * 145])
def test_malformed_proofs_are_refused(upload, wrong):
    assert refused(upload[0], CONTEXT, wrong)


def test_a_response_that_shares_a_factor_with_n_is_refused(upload):
    proof = upload[1][: 16 + 64] + KEY.n.to_bytes(64, "big")
    assert refused(upload[0], CONTEXT, proof)


def test_a_proof_is_short_and_blinded_afresh_each_time(upload):
    randomness = RANDOMISERS.draw(1)
    ciphertexts = paillier.encrypt([7], KEY, randomness)
    proofs = [prove_knowledge(KEY, [7], randomness, ciphertexts, CONTEXT) for _ in range(2)]
    parts = [(p[:16], p[16:80], p[80:]) for p in proofs]
    assert len(upload[1]) == len(proofs[0]) == 16 + 2 * 64
    assert all(first != second for first, second in zip(*parts, strict=True))
