from __future__ import annotations

import dataclasses
import json

import gmpy2
import pytest

from consortium.protocol import biprimality, dealing, paillier
from consortium.protocol.biprimality import prove_biprime, verify_biprime
from consortium.protocol.dealing import (
    Dealing,
    check_dealing,
    deal,
    deal_in_own_process,
    default_threshold,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.primes import is_safe_prime, safe_prime
from consortium.protocol.threshold import combine, partial_decryption
from tests.protocol.keys import shared_key

P, Q = safe_prime(256), safe_prime(256)


@pytest.mark.parametrize("bits", [64, 65, 128, 256])
def test_safe_primes_are_safe_and_of_the_length_asked_for(bits):
    p = safe_prime(bits)
    assert is_safe_prime(p)
    assert p.bit_length() == bits
    assert p >> (bits - 2) == 3


@pytest.mark.parametrize("number", [13, 15, 21, 4, 2**61 - 1, 7 * 11])
def test_a_prime_or_composite_that_is_not_safe_is_told(number):
    assert not is_safe_prime(number)


def test_small_safe_primes_are_told():
    assert [n for n in range(6, 200) if is_safe_prime(n)] == [7, 11, 23, 47, 59, 83, 107, 167, 179]


def opens(dealt: Dealing) -> bool:
    key = dealt.public.paillier
    ciphertexts = paillier.encrypt([17], key, paillier.Randomisers(key).draw(1))
    partials = {
        share.index: partial_decryption(dealt.public, share, ciphertexts)
        for share in dealt.shares[: dealt.public.threshold]
    }
    return combine(dealt.public, ciphertexts, partials) == [17]


@pytest.mark.parametrize(("custodians", "threshold"), [(2, 2), (3, 2), (4, 4), (9, 5)])
def test_a_dealing_works_and_passes_every_custodians_checks(custodians, threshold):
    dealt = deal(512, custodians, threshold, safe_primes=(P, Q), allow_small=True)
    for share in dealt.shares:
        check_dealing(dealt.public, dealt.biprimality, share)
    assert opens(dealt)


def test_a_dealing_holds_neither_prime():
    dealt = deal(512, 3, 2, safe_primes=(P, Q), allow_small=True)
    wire = json.dumps(dealt.to_wire())
    for secret in (P, Q, P // 2, Q // 2, (P // 2) * (Q // 2), (P - 1) * (Q - 1)):
        assert format(secret, "x") not in wire


def test_a_key_is_dealt_in_a_process_of_its_own():
    dealt = deal_in_own_process(256, 3, 2, allow_small=True)
    assert dealt.public.n.bit_length() == 256
    assert opens(dealt)


def test_that_process_writes_the_dealing_and_nothing_else(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["dealing", "256", "3", "2", "--allow-small"])
    dealing.main()
    written = Dealing.from_wire(json.loads(capsys.readouterr().out), allow_small=True)
    assert len(written.shares) == 3


def test_a_key_whose_primes_are_close_is_not_made(monkeypatch):
    """Fermat's method factors n when p and q share their upper bits."""
    found = iter([P, P + 2**100, Q])
    monkeypatch.setattr(dealing, "safe_prime", lambda *_: next(found))
    assert dealing._two_safe_primes(512, None) == (P, Q)


def test_a_small_key_is_not_dealt_by_accident():
    with pytest.raises(ProtocolRefused, match="at least 2048"):
        deal(512, 3, 2, safe_primes=(P, Q))


@pytest.mark.parametrize(
    "primes",
    [(P, P), (P, safe_prime(248)), (P, 2**255 + 95), (P, 15), (P, Q + 2)],
    ids=["equal", "unequal length", "not safe", "tiny", "composite"],
)
def test_bad_primes_are_refused(primes):
    with pytest.raises(ProtocolRefused) as refusal:
        deal(512, 3, 2, safe_primes=primes, allow_small=True)
    assert refusal.value.code == "bad_primes"


@pytest.mark.parametrize(("custodians", "threshold"), [(3, 4), (3, 1), (3, 0), (1, 1), (33, 17)])
def test_an_impossible_quorum_is_refused(custodians, threshold):
    with pytest.raises(ProtocolRefused, match="whole number"):
        deal(512, custodians, threshold, safe_primes=(P, Q), allow_small=True)


def test_the_default_quorum_is_a_majority():
    assert [default_threshold(n) for n in (2, 3, 4, 5, 9)] == [2, 2, 3, 3, 5]


def test_a_dealing_crosses_the_wire():
    dealt = shared_key()
    assert Dealing.from_wire(dealt.to_wire(), allow_small=True) == dealt


@pytest.mark.parametrize(
    "change", [{"shares": {}}, {"biprimality": "0"}, {"biprimality": 1}, {"p": "3"}], ids=repr
)
def test_a_malformed_dealing_is_refused(change):
    with pytest.raises(ProtocolRefused):
        Dealing.from_wire(shared_key().to_wire() | change, allow_small=True)


# Biprimality


def test_the_proof_holds_for_its_modulus_only():
    proof = prove_biprime(P, Q)
    verify_biprime(P * Q, proof)
    with pytest.raises(ProtocolRefused, match="two suitable primes"):
        verify_biprime(shared_key().public.n, proof)


def test_any_changed_part_of_the_proof_is_refused():
    n, proof = P * Q, prove_biprime(P, Q)
    for at in (*range(0, 64, 21), 64, 65 + 63, 65 + 127, len(proof) - 1):
        forged = bytearray(proof)
        forged[at] ^= 1
        with pytest.raises(ProtocolRefused):
            verify_biprime(n, bytes(forged))
    for forged in (b"", proof[:-1], proof + b"\0", b"\0" * len(proof)):
        with pytest.raises(ProtocolRefused):
            verify_biprime(n, forged)


def test_a_single_prime_passes_every_equation_and_is_refused_as_a_prime():
    width, w = 32, next(x for x in range(2, 99) if gmpy2.jacobi(x, P) == -1)
    proof = [w.to_bytes(width, "big")]
    for y in biprimality._challenges(P, w):
        sign = int(gmpy2.jacobi(y, P) == -1)
        root = pow(-y if sign else y, ((P + 1) // 4) ** 2, P)
        nth_root = pow(y, pow(P, -1, P - 1), P)
        proof += [bytes([sign]), root.to_bytes(width, "big"), nth_root.to_bytes(width, "big")]
    with pytest.raises(ProtocolRefused, match="two suitable primes"):
        verify_biprime(P, b"".join(proof))


@pytest.mark.parametrize("n", [P, 2 * P, 1, P * P * Q], ids=["prime", "even", "one", "square"])
def test_moduli_of_another_shape_are_refused(n):
    width = (n.bit_length() + 7) // 8
    with pytest.raises(ProtocolRefused):
        verify_biprime(n, b"\1" * (width + 128 * (1 + 2 * width)))


def test_a_custodian_refuses_a_key_with_another_modulus_proof():
    dealt = shared_key()
    with pytest.raises(ProtocolRefused, match="two suitable primes"):
        check_dealing(dealt.public, shared_key("2-of-3").biprimality, dealt.shares[0])


def test_a_custodian_refuses_a_share_of_another_dealing():
    dealt = shared_key()
    forged = dataclasses.replace(dealt.shares[0], value=dealt.shares[0].value + 1)
    with pytest.raises(ProtocolRefused, match="does not fit"):
        check_dealing(dealt.public, dealt.biprimality, forged)
