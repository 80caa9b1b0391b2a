from __future__ import annotations

import pytest

from consortium.protocol import paillier, popk
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.popk import prove_knowledge, verify_knowledge
from consortium.protocol.transcript import Transcript
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


def forged_from(root: int, ciphertexts: list[int]) -> bytes:
    """Commit to nothing, and answer with ``root``: holds for any ciphertexts if zero may be one."""
    transcript, _ = popk._begin(KEY, ciphertexts, CONTEXT)
    challenge = popk._challenge(transcript, KEY, 0)
    return challenge.to_bytes(16, "big") + bytes(64) + root.to_bytes(64, "big")


@pytest.mark.parametrize("root", [0, KEY.n], ids=["0", "n"])
def test_a_response_that_wipes_the_equation_is_refused(upload, root):
    assert refused(upload[0], CONTEXT, forged_from(root, upload[0]))


def cancelling(victim: int, weights: list[int]) -> tuple[list[int], bytes]:
    """Two ciphertexts that hold a victim's, which the weighted product of both does not."""
    plaintexts = [5, 6]
    randomness = RANDOMISERS.draw(2)
    first, second = paillier.encrypt(plaintexts, KEY, randomness)
    ciphertexts = [
        first * pow(victim, weights[1], KEY.n_squared) % KEY.n_squared,
        second * pow(victim, -weights[0], KEY.n_squared) % KEY.n_squared,
    ]
    return ciphertexts, prove_knowledge(KEY, plaintexts, randomness, ciphertexts, CONTEXT)


def test_ciphertexts_that_cancel_in_the_plain_product_are_refused(upload):
    ciphertexts, proof = cancelling(upload[0][2], [1, 1])
    assert refused(ciphertexts, CONTEXT, proof)


def test_weights_cannot_be_known_before_the_ciphertexts(upload):
    transcript = Transcript("consortium/knowledge-of-plaintext/1")
    transcript.absorb(bytes.fromhex(KEY.key_id), CONTEXT)
    ciphertexts, proof = cancelling(upload[0][2], transcript.challenges(2))
    assert refused(ciphertexts, CONTEXT, proof)


def test_a_response_beyond_n_is_refused_so_that_a_proof_has_one_spelling():
    randomness = RANDOMISERS.draw(1)
    ciphertexts = paillier.encrypt([7], KEY, randomness)
    respelt = None
    while respelt is None:
        proof = prove_knowledge(KEY, [7], randomness, ciphertexts, CONTEXT)
        response = int.from_bytes(proof[16:80], "big") + KEY.n
        if response < 1 << 512:
            respelt = proof[:16] + response.to_bytes(64, "big") + proof[80:]
    verify_knowledge(KEY, ciphertexts, CONTEXT, proof)
    assert refused(ciphertexts, CONTEXT, respelt)


def test_a_proof_is_short_and_blinded_afresh_each_time(upload):
    randomness = RANDOMISERS.draw(1)
    ciphertexts = paillier.encrypt([7], KEY, randomness)
    proofs = [prove_knowledge(KEY, [7], randomness, ciphertexts, CONTEXT) for _ in range(2)]
    parts = [(p[:16], p[16:80], p[80:]) for p in proofs]
    assert len(upload[1]) == len(proofs[0]) == 16 + 2 * 64
    assert all(first != second for first, second in zip(*parts, strict=True))
