from __future__ import annotations

import dataclasses
import itertools

import gmpy2
import phe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.threshold import (
    KeyShare,
    ThresholdPublicKey,
    check_share,
    check_verification_keys,
    combine,
    partial_decryption,
    partials_from_bytes,
    partials_to_bytes,
    prove_partials,
    verify_partials,
)
from tests.protocol.keys import shared_key

DEALING = shared_key("3-of-5")
PUBLIC, SHARES = DEALING.public, DEALING.shares
KEY = PUBLIC.paillier
RANDOMISERS = paillier.Randomisers(KEY)
PLAINTEXTS = [0, 1, 424242, KEY.n - 1]
CONTEXT = b"task 1, round 3, certificate 9"


def encrypt(*plaintexts: int) -> list[int]:
    return paillier.encrypt(plaintexts, KEY, RANDOMISERS.draw(len(plaintexts)))


CIPHERTEXTS = encrypt(*PLAINTEXTS)
PARTIALS = {share.index: partial_decryption(PUBLIC, share, CIPHERTEXTS) for share in SHARES}
PROOFS = {
    share.index: prove_partials(PUBLIC, share, CIPHERTEXTS, PARTIALS[share.index], CONTEXT)
    for share in SHARES
}


def subset(indices) -> dict[int, list[int]]:
    return {index: PARTIALS[index] for index in indices}


# Opening


@pytest.mark.parametrize("name", ["2-of-3", "3-of-5"])
def test_every_quorum_opens_and_nothing_smaller_does(name):
    dealing = shared_key(name)
    public = dealing.public
    plaintexts = [3, public.n - 2]
    randomness = paillier.Randomisers(public.paillier).draw(2)
    ciphertexts = paillier.encrypt(plaintexts, public.paillier, randomness)
    partials = {s.index: partial_decryption(public, s, ciphertexts) for s in dealing.shares}
    for size in range(1, public.custodians + 1):
        for indices in itertools.combinations(partials, size):
            chosen = {index: partials[index] for index in indices}
            if size >= public.threshold:
                assert combine(public, ciphertexts, chosen) == plaintexts
            else:
                with pytest.raises(ProtocolRefused, match=f"{size} of {public.threshold}"):
                    combine(public, ciphertexts, chosen)


def test_fewer_than_t_custodians_cannot_open_by_pretending_a_lower_threshold():
    pretended = dataclasses.replace(PUBLIC, threshold=2, allow_small=True)
    for indices in itertools.combinations(PARTIALS, 2):
        with pytest.raises(ProtocolRefused) as refusal:
            combine(pretended, CIPHERTEXTS, subset(indices))
        assert refusal.value.code == "not_a_decryption"


def test_t_minus_1_banks_with_the_coordinator_learn_the_sum_of_the_others_and_no_upload():
    """They have every upload, two shares, and what the honest custodians gave towards the sum."""
    values = [11, 22, 33, 44, 55]
    uploads = [encrypt(value) for value in values]
    total = paillier.add(uploads, KEY)
    given_ = {share.index: partial_decryption(PUBLIC, share, total) for share in SHARES}
    assert combine(PUBLIC, total, given_) == [sum(values)]

    own, honest = SHARES[:2], range(3, 6)
    quotients = [
        [total[0] * gmpy2.invert(uploads[a][0] * uploads[b][0], KEY.n_squared) % KEY.n_squared]
        for a, b in itertools.combinations(range(5), 2)
    ]
    for wanted in [*uploads[2:], *quotients]:
        mine = {share.index: partial_decryption(PUBLIC, share, wanted) for share in own}
        for index in honest:
            with pytest.raises(ProtocolRefused):
                combine(PUBLIC, wanted, {**mine, index: given_[index]})


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, KEY.n // 8), min_size=1, max_size=4))
def test_a_sum_of_uploads_opens_to_the_sum(plaintexts):
    total = paillier.add([encrypt(*plaintexts) for _ in range(3)], KEY)
    partials = {s.index: partial_decryption(PUBLIC, s, total) for s in SHARES[1:4]}
    assert combine(PUBLIC, total, partials) == [3 * plaintext for plaintext in plaintexts]


def test_what_phe_encrypts_a_quorum_opens():
    theirs = [phe.PaillierPublicKey(KEY.n).raw_encrypt(99)]
    partials = {s.index: partial_decryption(PUBLIC, s, theirs) for s in SHARES[:3]}
    assert combine(PUBLIC, theirs, partials) == [99]


def test_partials_of_another_length_are_not_combined():
    with pytest.raises(ProtocolRefused, match="one partial decryption a ciphertext"):
        combine(PUBLIC, CIPHERTEXTS, subset([1, 2]) | {3: PARTIALS[3][:-1]})


def test_partials_of_other_ciphertexts_are_not_combined():
    other = partial_decryption(PUBLIC, SHARES[2], encrypt(*PLAINTEXTS))
    with pytest.raises(ProtocolRefused, match="do not open these ciphertexts"):
        combine(PUBLIC, CIPHERTEXTS, subset([1, 2]) | {3: other})


def test_partials_under_another_key_are_not_combined():
    other = shared_key("2-of-3")
    randomness = paillier.Randomisers(other.public.paillier).draw(4)
    strange = paillier.encrypt([1, 2, 3, 4], other.public.paillier, randomness)
    partials = {s.index: partial_decryption(other.public, s, strange) for s in other.shares}
    with pytest.raises(ProtocolRefused) as refusal:
        combine(PUBLIC, CIPHERTEXTS, partials)
    assert refusal.value.code == "not_a_decryption"


def test_a_custodian_gives_nothing_for_a_malformed_ciphertext():
    for forged in (0, 1 + KEY.n, KEY.n, KEY.n**2):
        with pytest.raises(ProtocolRefused) as refusal:
            partial_decryption(PUBLIC, SHARES[0], [CIPHERTEXTS[0], forged])
        assert refusal.value.code == "bad_ciphertext"


def test_a_share_is_raised_to_in_constant_time_only(monkeypatch):
    def variable_time(*_):
        raise AssertionError("a secret exponent went through variable-time exponentiation")

    for name in ("powmod", "powmod_base_list", "powmod_exp_list"):
        monkeypatch.setattr(gmpy2, name, variable_time)
    assert partial_decryption(PUBLIC, SHARES[0], CIPHERTEXTS) == PARTIALS[1]


# Proofs of partials


def verify(index=2, ciphertexts=CIPHERTEXTS, partials=None, context=CONTEXT, proof=None):
    partials = PARTIALS[2] if partials is None else partials
    verify_partials(PUBLIC, index, ciphertexts, partials, context, proof or PROOFS[2])


def assert_named(index: int, **changes) -> None:
    with pytest.raises(ProtocolRefused, match=f"Custodian {index} sent") as refusal:
        verify(index=index, **changes)
    assert refusal.value.code == "partial_decryption_forged"


def test_every_custodian_proves_its_partials():
    for index, partials in PARTIALS.items():
        verify(index=index, partials=partials, proof=PROOFS[index])


def shifted(*factors: int) -> list[int]:
    return [
        partial * factor % KEY.n
        for partial, factor in itertools.zip_longest(PARTIALS[2], factors, fillvalue=1)
    ]


@pytest.mark.parametrize("factor", [2, KEY.n - 2, PUBLIC.v])
def test_a_custodian_that_shifts_a_value_opens_nothing_and_is_named_by_the_proof(factor):
    with pytest.raises(ProtocolRefused, match="do not open these ciphertexts"):
        combine(PUBLIC, CIPHERTEXTS, subset([1, 3]) | {2: shifted(factor)})
    assert_named(2, partials=shifted(factor))
    forged = prove_partials(PUBLIC, SHARES[1], CIPHERTEXTS, shifted(factor), CONTEXT)
    assert_named(2, partials=shifted(factor), proof=forged)


@pytest.mark.parametrize("k", [1, 5, KEY.n - 1])
def test_the_factor_that_shifts_a_classic_opening_unseen_is_one_here(k):
    """Modulo n², a partial times 1 + kn shifts the plaintext and leaves no trace."""
    assert shifted(1 + k * KEY.n) == PARTIALS[2]


def test_two_shifts_that_cancel_in_the_plain_product_are_named():
    cancelling = shifted(5, pow(5, -1, KEY.n))
    forged = prove_partials(PUBLIC, SHARES[1], CIPHERTEXTS, cancelling, CONTEXT)
    assert_named(2, partials=cancelling, proof=forged)


def test_only_the_ciphertexts_that_were_opened_come_out():
    """A partial depends on c modulo n alone; what it opens is c with its own plaintext."""
    other = [c * (1 + 7 * KEY.n) % KEY.n_squared for c in CIPHERTEXTS]
    assert combine(PUBLIC, other, subset([1, 2, 3])) == [(p + 7) % KEY.n for p in PLAINTEXTS]
    assert_named(2, ciphertexts=other)


def test_a_partial_made_with_another_share_is_named():
    forged = prove_partials(PUBLIC, SHARES[2], CIPHERTEXTS, PARTIALS[3], CONTEXT)
    assert_named(2, partials=PARTIALS[3], proof=forged)
    assert_named(2, partials=PARTIALS[3], proof=PROOFS[3])


def test_a_proof_of_another_context_or_other_ciphertexts_is_refused():
    assert_named(2, context=b"task 1, round 4, certificate 9")
    assert_named(2, ciphertexts=encrypt(*PLAINTEXTS))
    assert_named(2, ciphertexts=CIPHERTEXTS[::-1])
    assert_named(2, ciphertexts=CIPHERTEXTS[:-1], partials=PARTIALS[2][:-1])


@pytest.mark.parametrize("forged", [0, -1, KEY.n, KEY.n + 1], ids=["0", "-1", "n", "n+1"])
def test_a_partial_that_is_no_unit_is_named(forged):
    assert_named(2, partials=[forged, *PARTIALS[2][1:]])


def test_a_missing_or_extra_partial_is_named():
    assert_named(2, partials=PARTIALS[2][:-1])
    assert_named(2, partials=[*PARTIALS[2], 2])


def test_any_flipped_bit_of_the_proof_is_refused():
    for at in range(0, len(PROOFS[2]), 9):
        forged = bytearray(PROOFS[2])
        forged[at] ^= 1
        assert_named(2, proof=bytes(forged))


def test_malformed_proofs_are_refused():
    for forged in (PROOFS[2][:-1], PROOFS[2] + b"\0", b"\xff" * len(PROOFS[2])):
        assert_named(2, proof=forged)


def test_partials_times_an_element_of_order_two_still_open_rightly():
    """Squaring in proof and combination makes the sign of a partial irrelevant."""
    flipped = [KEY.n - partial for partial in PARTIALS[2]]
    proof = prove_partials(PUBLIC, SHARES[1], CIPHERTEXTS, flipped, CONTEXT)
    verify(partials=flipped, proof=proof)
    assert combine(PUBLIC, CIPHERTEXTS, subset([1, 3]) | {2: flipped}) == PLAINTEXTS


@pytest.mark.parametrize("index", [0, 6, -1])
def test_an_unknown_custodian_is_refused(index):
    for act in (
        lambda: verify(index=index),
        lambda: combine(PUBLIC, CIPHERTEXTS, subset([1, 2]) | {index: PARTIALS[3]}),
        lambda: partial_decryption(PUBLIC, KeyShare(index, 5), CIPHERTEXTS),
        lambda: check_share(PUBLIC, KeyShare(index, 5)),
    ):
        with pytest.raises(ProtocolRefused, match="no custodian"):
            act()


@pytest.mark.parametrize("forged", [0, -1, KEY.n, KEY.n + 1], ids=["0", "-1", "n", "n+1"])
def test_partials_that_are_no_units_are_not_combined(forged):
    with pytest.raises(ProtocolRefused, match="do not open these ciphertexts"):
        combine(PUBLIC, CIPHERTEXTS, subset([1, 3]) | {2: [forged, *PARTIALS[2][1:]]})


def test_partials_are_half_as_wide_as_ciphertexts_on_the_wire():
    blob = partials_to_bytes(PUBLIC, PARTIALS[2])
    assert len(blob) == 4 * 64
    assert partials_from_bytes(PUBLIC, blob) == PARTIALS[2]
    with pytest.raises(ProtocolRefused, match="not a multiple of 64"):
        partials_from_bytes(PUBLIC, blob[1:])


# Keys and shares


def test_every_share_fits_its_verification_key_and_no_other():
    for share in SHARES:
        check_share(PUBLIC, share)
    for forged in (KeyShare(1, SHARES[1].value), KeyShare(1, SHARES[0].value + 1), KeyShare(1, 0)):
        with pytest.raises(ProtocolRefused, match="does not fit"):
            check_share(PUBLIC, forged)


def test_verification_keys_must_lie_on_one_polynomial():
    check_verification_keys(PUBLIC)
    keys = list(PUBLIC.verification_keys)
    keys[4] = keys[4] * PUBLIC.v % KEY.n
    forged = dataclasses.replace(PUBLIC, verification_keys=tuple(keys), allow_small=True)
    with pytest.raises(ProtocolRefused, match="one shared key"):
        check_verification_keys(forged)


def test_keys_and_shares_cross_the_wire():
    assert ThresholdPublicKey.from_wire(PUBLIC.to_wire(), allow_small=True) == PUBLIC
    assert KeyShare.from_wire(SHARES[0].to_wire()) == SHARES[0]


def test_a_public_key_holds_nothing_that_factors_n():
    """Some packages publish p'q' inside the public key, and with it the factors."""
    wire = PUBLIC.to_wire()
    assert set(wire) == {"n", "threshold", "custodians", "v", "verification_keys"}
    for number in (PUBLIC.v, *PUBLIC.verification_keys):
        for exponent in (number, 4 * number):
            assert gmpy2.powmod(PUBLIC.v, exponent, KEY.n) != 1


def test_a_share_does_not_show_itself():
    assert repr(SHARES[0]) == "KeyShare(index=1)"


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 1},
        {"threshold": 6},
        {"threshold": True},
        {"custodians": 33},
        {"verification_keys": []},
        {"verification_keys": "ab"},
        {"v": "0"},
        {"v": 5},
        {"v": "ff" * 64},
        {"verification_keys": ["0"] * 5},
        {"p": "3"},
    ],
    ids=repr,
)
def test_a_malformed_threshold_key_is_refused(change):
    with pytest.raises(ProtocolRefused):
        ThresholdPublicKey.from_wire(PUBLIC.to_wire() | change, allow_small=True)


@pytest.mark.parametrize(
    "wire", [None, {"index": 1}, {"index": 0, "value": "1"}, {"index": "1", "value": "1"}]
)
def test_a_malformed_share_is_refused(wire):
    with pytest.raises(ProtocolRefused):
        KeyShare.from_wire(wire)
