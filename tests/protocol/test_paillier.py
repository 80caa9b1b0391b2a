from __future__ import annotations

import os
import pickle
import secrets

import gmpy2
import phe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.paillier import PublicKey, Randomisers
from tests.protocol.keys import shared_key

PUBLIC, PRIVATE = phe.generate_paillier_keypair(n_length=512)
KEY = PublicKey(PUBLIC.n, allow_small=True)
RANDOMISERS = Randomisers(KEY)
N = KEY.n


def encrypt(*plaintexts: int) -> list[int]:
    return paillier.encrypt(plaintexts, KEY, RANDOMISERS.draw(len(plaintexts)))


def decrypt(ciphertexts: list[int]) -> list[int]:
    return [PRIVATE.raw_decrypt(ciphertext) for ciphertext in ciphertexts]


# It is the same scheme as python-paillier's


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.sampled_from([0, 1, N - 1]), st.integers(0, N - 1)), min_size=1))
def test_phe_decrypts_what_we_encrypt(plaintexts):
    assert decrypt(encrypt(*plaintexts)) == plaintexts


def test_our_sum_of_theirs_and_ours_decrypts_to_the_sum():
    ours, theirs = encrypt(41, N - 5), [PUBLIC.raw_encrypt(1), PUBLIC.raw_encrypt(7)]
    paillier.check(theirs, KEY)
    assert decrypt(paillier.add([ours, theirs], KEY)) == [42, 2]


def test_phe_adds_our_ciphertexts_to_its_own():
    mine = phe.EncryptedNumber(PUBLIC, encrypt(40)[0], 0)
    assert PRIVATE.decrypt(mine + PUBLIC.encrypt(2)) == 42


def test_the_key_is_known_to_phe_by_the_same_modulus():
    assert paillier.as_phe(KEY).n == N
    public, private = paillier.phe_keypair(256)
    assert private.decrypt(public.encrypt(5)) == 5


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.integers(0, N - 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_adding_vectors_adds_position_by_position(rows):
    total = paillier.add([encrypt(*row) for row in rows], KEY)
    assert decrypt(total) == [sum(column) % N for column in zip(*rows, strict=True)]


def test_vectors_of_different_lengths_or_none_are_not_added():
    for vectors in ([], [encrypt(1), encrypt(1, 2)]):
        with pytest.raises(ProtocolRefused, match="same length"):
            paillier.add(vectors, KEY)


# What an upload may not hold


@pytest.mark.parametrize(
    "forged",
    {
        "zero": 0,
        "negative": -1,
        "n squared": N * N,
        "above n squared": N * N + 5,
    }.items(),
    ids=lambda case: case[0],
)
def test_a_ciphertext_outside_its_range_is_refused(forged):
    with pytest.raises(ProtocolRefused, match="Ciphertext 1 is not between 0 and n²"):
        paillier.check([encrypt(1)[0], forged[1]], KEY)


@pytest.mark.parametrize(
    "forged",
    {"n": N, "a multiple of p": 7 * PRIVATE.p, "q": PRIVATE.q, "p squared": PRIVATE.p**2}.items(),
    ids=lambda case: case[0],
)
def test_a_ciphertext_that_shares_a_factor_with_n_is_refused(forged):
    with pytest.raises(ProtocolRefused, match="Ciphertext 2 has a factor") as refusal:
        paillier.check([*encrypt(1, 2), forged[1]], KEY)
    assert str(PRIVATE.p) not in repr(refusal.value.params)


@pytest.mark.parametrize("plaintext", [0, 1, 12345])
def test_a_ciphertext_made_without_randomness_is_refused(plaintext):
    bare = PUBLIC.raw_encrypt(plaintext, r_value=1)
    assert (bare - 1) // N == plaintext
    with pytest.raises(ProtocolRefused, match="Ciphertext 0 was encrypted without randomness"):
        paillier.check([bare], KEY)


@pytest.mark.parametrize("plaintext", [-1, N, N + 3], ids=["negative", "n", "above n"])
def test_a_plaintext_that_would_wrap_is_refused(plaintext):
    with pytest.raises(ProtocolRefused, match="below the key's modulus"):
        encrypt(plaintext)


def test_a_plaintext_needs_a_randomiser_each():
    with pytest.raises(ValueError, match="one randomiser"):
        paillier.encrypt([1, 2], KEY, RANDOMISERS.draw(1))


# Randomness


def test_randomness_encrypts_one_vector_only():
    randomness = RANDOMISERS.draw(1)
    paillier.encrypt([1], KEY, randomness)
    with pytest.raises(ProtocolRefused) as refusal:
        paillier.encrypt([2], KEY, randomness)
    assert refusal.value.code == "randomness_reused"


def test_a_prepared_randomiser_is_handed_out_once():
    pool = Randomisers(KEY)
    pool.prepare(6)
    assert pool.ready == 6
    drawn = [*pool.draw(4).powers, *pool.draw(4).powers]
    assert pool.ready == 0
    assert len(set(drawn)) == 8


def test_a_forked_child_does_not_inherit_the_pool():
    pool = Randomisers(KEY)
    pool.prepare(3)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        left = pool.ready
        mine = pool.draw(1).powers[0]
        os.write(writing, f"{left} {mine}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        left, childs = pipe.read().split()
    assert left == "0"
    assert pool.ready == 3
    assert int(childs) not in pool.draw(3).powers


@pytest.mark.parametrize("secret", [RANDOMISERS, RANDOMISERS.draw(1)], ids=["pool", "randomness"])
def test_randomness_cannot_be_pickled(secret):
    with pytest.raises(TypeError, match="never leaves its process"):
        pickle.dumps(secret)


def test_randomness_does_not_show_itself():
    randomness = RANDOMISERS.draw(1)
    assert repr(randomness) == "<Randomness for 1 ciphertexts>"


def test_a_randomiser_is_an_nth_power_of_its_root():
    randomness = RANDOMISERS.draw(3)
    for alpha, power in zip(randomness.exponents, randomness.powers, strict=True):
        root = gmpy2.powmod(randomness.root, alpha, N)
        assert power == gmpy2.powmod(root, N, N * N)


def test_exponents_are_half_as_long_as_n_and_their_top_bits_are_fair():
    exponents = RANDOMISERS.draw(400).exponents
    assert max(exponents).bit_length() <= 256
    for bit in range(248, 256):
        ones = sum(exponent >> bit & 1 for exponent in exponents)
        assert 130 < ones < 270  # seven standard deviations


def test_equal_plaintexts_give_different_ciphertexts():
    assert len(set(encrypt(*[5] * 20))) == 20


# Bytes


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, N * N - 1), max_size=5))
def test_bytes_are_of_fixed_width_and_come_back(ciphertexts):
    blob = paillier.to_bytes(ciphertexts, KEY)
    assert len(blob) == 128 * len(ciphertexts)
    assert paillier.from_bytes(blob, KEY) == ciphertexts


def test_bytes_of_a_ragged_length_are_refused():
    with pytest.raises(ProtocolRefused, match="not a multiple of 128"):
        paillier.from_bytes(paillier.to_bytes(encrypt(1), KEY)[:-1], KEY)


def test_magnitude_does_not_show_beside_the_ciphertexts():
    """python-paillier sends each number's exponent in clear; our bytes are ciphertexts alone."""
    exponents = {PUBLIC.encrypt(value).exponent for value in (1e-6, 1e3)}
    assert len(exponents) == 2
    assert len({len(paillier.to_bytes(encrypt(value), KEY)) for value in (1, N - 1)}) == 1


# Keys


def test_a_key_under_2048_bits_needs_a_test_to_ask_for_it():
    with pytest.raises(ProtocolRefused, match="512 bits; at least 2048"):
        PublicKey(N)
    with pytest.raises(ProtocolRefused, match="at least 2048"):
        PublicKey.from_wire(KEY.to_wire())
    with pytest.raises(ProtocolRefused, match="at least 2048"):
        type(shared_key().public).from_wire(shared_key().public.to_wire())


@pytest.mark.parametrize("n", [0, -15, 1 << 512, (1 << 600) + 1, 15, (1 << 8193) + 1])
def test_a_modulus_that_cannot_be_a_key_is_refused(n):
    with pytest.raises(ProtocolRefused):
        PublicKey(n, allow_small=True)


def test_a_key_crosses_the_wire_and_keeps_its_id():
    back = PublicKey.from_wire(KEY.to_wire(), allow_small=True)
    assert back == KEY
    assert back.key_id == KEY.key_id
    assert len(KEY.key_id) == 64


@pytest.mark.parametrize(
    "wire",
    [None, [], {}, {"n": 5}, {"n": "0X1F"}, {"n": "0f"}, {"n": "F"}, {"n": "f", "p": "3"},
     {"n": "-f"}, {"n": ""}, {"n": "f" * 5000}, {"n": "f\n"}],
    ids=repr,
)  # fmt: skip
def test_a_malformed_key_is_refused(wire):
    with pytest.raises(ProtocolRefused):
        PublicKey.from_wire(wire, allow_small=True)


def test_products_under_another_key_differ_in_their_key_id():
    other = PublicKey(phe.generate_paillier_keypair(n_length=512)[0].n, allow_small=True)
    assert other.key_id != KEY.key_id


@settings(deadline=None, max_examples=20)
@given(st.integers(0, N - 1))
def test_check_accepts_every_honest_encryption(plaintext):
    paillier.check(encrypt(plaintext), KEY)
    paillier.check([PUBLIC.raw_encrypt(plaintext, r_value=secrets.randbelow(N - 2) + 2)], KEY)
