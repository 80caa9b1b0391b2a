"""Proof that a modulus is a product of two primes fit for Paillier, without showing them.

The Paillier–Blum modulus proof of Canetti, Gennaro, Goldfeder, Makriyannis and Peled (ACM CCS
2020, figure "Paillier-Blum Modulus ZK"): n = pq with p, q = 3 (mod 4) and gcd(n, φ(n)) = 1. Made
non-interactive by hashing; a cheating dealer passes each of the 128 rounds with probability at
most one half. That p and q are *safe* primes is the word of the ceremony and its witnesses.
"""

from __future__ import annotations

import hashlib
import secrets

import gmpy2

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.primes import Below

ROUNDS = 128


def prove_biprime(p: int, q: int, rng: Below = secrets.randbelow) -> bytes:
    """Prove for n = pq with safe primes p, q.

    Bytes: w, then for each round signs (1), fourth root (|n|) and n-th root (|n|).
    """
    n, half_order = p * q, (p // 2) * (q // 2)
    width = _width(n)
    w = next(x for x in iter(lambda: rng(n), None) if gmpy2.jacobi(x, n) == -1)
    fourth_root = pow((half_order + 1) // 2, 2, half_order)
    nth_root = pow(n, -1, 4 * half_order)
    proof = [w.to_bytes(width, "big")]
    for y in _challenges(n, w):
        signs = next(
            s
            for s in range(4)
            if all(gmpy2.jacobi(_twisted(y, w, s, n), prime) == 1 for prime in (p, q))
        )
        root = gmpy2.powmod_sec(_twisted(y, w, signs, n), fourth_root, n)
        residue = gmpy2.powmod_sec(y, nth_root, n)
        proof += [
            signs.to_bytes(1, "big"),
            int(root).to_bytes(width, "big"),
            int(residue).to_bytes(width, "big"),
        ]
    return b"".join(proof)


def verify_biprime(n: int, proof: bytes) -> None:
    """Refuse unless ``proof`` shows that n is a Paillier–Blum modulus."""
    width = _width(n)
    step = 1 + 2 * width
    if len(proof) != width + ROUNDS * step or n < 2 or n % 2 == 0 or gmpy2.is_prime(n):
        raise _refusal()
    w = int.from_bytes(proof[:width], "big")
    if not 0 < w < n or gmpy2.jacobi(w, n) != -1:
        raise _refusal()
    for at, y in zip(range(width, len(proof), step), _challenges(n, w), strict=True):
        signs = proof[at]
        root = int.from_bytes(proof[at + 1 : at + 1 + width], "big")
        residue = int.from_bytes(proof[at + 1 + width : at + step], "big")
        if (
            signs > 3
            or gmpy2.powmod(root, 4, n) != _twisted(y, w, signs, n)
            or gmpy2.powmod(residue, n, n) != y
        ):
            raise _refusal()


def _twisted(y: int, w: int, signs: int, n: int) -> int:
    """(-1)^a w^b y for the two bits of ``signs``: one of the four is a square."""
    twisted = -y if signs & 1 else y
    return (twisted * w if signs & 2 else twisted) % n


def _challenges(n: int, w: int) -> list[int]:
    """``ROUNDS`` numbers modulo n that the prover cannot choose."""
    width = _width(n)
    wide = width + 16
    stream = hashlib.shake_256(
        b"consortium/biprime/1" + n.to_bytes(width, "big") + w.to_bytes(width, "big")
    ).digest(ROUNDS * wide)
    return [int.from_bytes(stream[i * wide : (i + 1) * wide], "big") % n for i in range(ROUNDS)]


def _width(n: int) -> int:
    return (n.bit_length() + 7) // 8


def _refusal() -> ProtocolRefused:
    return ProtocolRefused(
        "biprimality_not_proven",
        gettext_noop("The proof does not show that the key is a product of two suitable primes."),
    )
