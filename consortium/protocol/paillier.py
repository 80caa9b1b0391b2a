"""Paillier encryption with g = n + 1: encrypt, add, check, and write as bytes.

The scheme is Paillier's (EUROCRYPT 1999; ISO/IEC 18033-6), with the randomiser of Damgård,
Jurik and Nielsen (IJIS 2010): ``h^n`` to an exponent of |n|/2 bits in place of ``r^n``. Nothing
here can decrypt. Ciphertexts are integers modulo n²; vectors of them are plain lists.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from functools import cached_property
from typing import TypeAlias

import gmpy2
import phe
from gmpy2 import mpz

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.exponentiation import FixedBase
from consortium.protocol.integers import (
    exact_fields,
    from_fixed_bytes,
    from_hex,
    to_fixed_bytes,
    to_hex,
)

Ciphertext: TypeAlias = int

MINIMUM_KEY_BITS = 2048
MAXIMUM_KEY_BITS = 8192


def require_key_size(n: int, *, allow_small: bool) -> None:
    """Refuse a modulus that is even, oddly sized, or weaker than today's minimum."""
    bits = n.bit_length()
    if bits < MINIMUM_KEY_BITS and not allow_small:
        raise ProtocolRefused(
            "key_too_small",
            gettext_noop("The key has %(bits)s bits; at least %(least)s are needed."),
            bits=bits,
            least=MINIMUM_KEY_BITS,
        )
    if n < 0 or n % 2 == 0 or bits % 8 or not 64 <= bits <= MAXIMUM_KEY_BITS:
        raise ProtocolRefused(
            "malformed_key", gettext_noop("The key's modulus is not the product of two odd primes.")
        )


@dataclass(frozen=True)
class PublicKey:
    """The modulus n. Keys under 2048 bits exist only where a test says ``allow_small``."""

    n: int
    allow_small: InitVar[bool] = False

    def __post_init__(self, allow_small: bool) -> None:
        require_key_size(self.n, allow_small=allow_small)

    @cached_property
    def n_squared(self) -> int:
        return self.n * self.n

    @property
    def key_bits(self) -> int:
        return self.n.bit_length()

    @property
    def ciphertext_bytes(self) -> int:
        """The fixed width of one ciphertext on the wire."""
        return 2 * self.key_bits // 8

    @cached_property
    def key_id(self) -> str:
        """SHA-256 of n as big-endian bytes, in hexadecimal."""
        return hashlib.sha256(self.n.to_bytes(self.key_bits // 8, "big")).hexdigest()

    def to_wire(self) -> dict[str, object]:
        return {"n": to_hex(self.n)}

    @classmethod
    def from_wire(cls, wire: object, *, allow_small: bool = False) -> PublicKey:
        fields = exact_fields(wire, ["n"], "A public key")
        return cls(from_hex(fields["n"], "n", bits=MAXIMUM_KEY_BITS), allow_small=allow_small)


class Randomness:
    """Exponents for one vector: taken from a pool once, spent by one encryption.

    ``root`` is h modulo n and ``exponents`` α, so that ciphertext j is randomised by
    ``(root^α_j)^n``; ``powers`` are these, modulo n². Never leaves the process.
    """

    __slots__ = ("_spent", "exponents", "powers", "root")

    def __init__(self, root: int, exponents: list[int], powers: list[int]) -> None:
        self.root = root
        self.exponents = exponents
        self.powers = powers
        self._spent = False

    def __repr__(self) -> str:
        return f"<Randomness for {len(self.exponents)} ciphertexts>"

    def __reduce__(self) -> str:
        raise TypeError("encryption randomness never leaves its process")

    def spend(self) -> None:
        """Mark as used; the second use of a randomiser would show the difference of plaintexts."""
        if self._spent:
            raise ProtocolRefused(
                "randomness_reused", gettext_noop("This randomness has encrypted a vector already.")
            )
        self._spent = True


class Randomisers:
    """Makes randomisers ahead of time, hands each out once, and forgets them in a forked child."""

    def __init__(self, public_key: PublicKey) -> None:
        n, bits = public_key.n, public_key.key_bits
        x = secrets.randbelow(n - 2) + 2
        self._public_key = public_key
        self._root = -x * x % n
        self._exponent_bits = bits // 2
        base = int(gmpy2.powmod(self._root, n, public_key.n_squared))
        self._table = FixedBase(base, public_key.n_squared, self._exponent_bits)
        self._pool: deque[tuple[int, int]] = deque()
        self._process = os.getpid()

    def __reduce__(self) -> str:
        raise TypeError("a pool of randomisers never leaves its process")

    @property
    def ready(self) -> int:
        """How many randomisers wait in this process."""
        self._forget_if_forked()
        return len(self._pool)

    def prepare(self, count: int) -> None:
        """Do the slow part for ``count`` ciphertexts now, for instance while a model trains."""
        self._forget_if_forked()
        self._pool.extend(self._make() for _ in range(count))

    def draw(self, count: int) -> Randomness:
        """Randomness for ``count`` ciphertexts, from the pool first."""
        self._forget_if_forked()
        taken = [self._take() for _ in range(count)]
        return Randomness(self._root, [alpha for alpha, _ in taken], [power for _, power in taken])

    def _take(self) -> tuple[int, int]:
        try:
            return self._pool.popleft()
        except IndexError:
            return self._make()

    def _make(self) -> tuple[int, int]:
        alpha = secrets.randbits(self._exponent_bits)
        return alpha, self._table.power(alpha)

    def _forget_if_forked(self) -> None:
        if self._process != os.getpid():
            self._pool.clear()
            self._process = os.getpid()


def encrypt(
    plaintexts: Sequence[int], public_key: PublicKey, randomness: Randomness
) -> list[Ciphertext]:
    """``(1 + m n) · h^(n α) mod n²`` for each plaintext ``0 <= m < n``; spends ``randomness``."""
    if len(plaintexts) != len(randomness.powers):
        raise ValueError("one randomiser for each plaintext")
    if any(not 0 <= plaintext < public_key.n for plaintext in plaintexts):
        raise ProtocolRefused(
            "plaintext_out_of_range", gettext_noop("A plaintext is not below the key's modulus.")
        )
    randomness.spend()
    n, modulus = mpz(public_key.n), mpz(public_key.n_squared)
    return [
        int((1 + n * plaintext) * power % modulus)
        for plaintext, power in zip(plaintexts, randomness.powers, strict=True)
    ]


def check(ciphertexts: Sequence[Ciphertext], public_key: PublicKey) -> None:
    """Refuse a vector with an element that no honest encryption gives.

    Refused: outside ``0 < c < n²``; ``c = 1 mod n`` (encrypted without randomness: anybody reads
    it); a common factor with n (zero among them: it would wipe the sum). One gcd serves all.
    """
    n, modulus, product = mpz(public_key.n), public_key.n_squared, mpz(1)
    for index, ciphertext in enumerate(ciphertexts):
        if not 0 < ciphertext < modulus:
            raise ProtocolRefused(
                "bad_ciphertext",
                gettext_noop("Ciphertext %(index)s is not between 0 and n²."),
                index=index,
            )
        residue = ciphertext % n
        if residue == 1:
            raise ProtocolRefused(
                "bad_ciphertext",
                gettext_noop("Ciphertext %(index)s was encrypted without randomness."),
                index=index,
            )
        product = product * residue % n
    if gmpy2.gcd(product, n) != 1:
        index = next(i for i, c in enumerate(ciphertexts) if gmpy2.gcd(c, n) != 1)
        raise ProtocolRefused(
            "bad_ciphertext",
            gettext_noop("Ciphertext %(index)s has a factor in common with n."),
            index=index,
        )


def add(vectors: Sequence[Sequence[Ciphertext]], public_key: PublicKey) -> list[Ciphertext]:
    """Ciphertexts of the sums, position by position, of vectors of equal length."""
    if not vectors or len({len(vector) for vector in vectors}) != 1:
        raise ProtocolRefused(
            "wrong_length", gettext_noop("Only vectors of the same length can be added.")
        )
    modulus = mpz(public_key.n_squared)
    total = [mpz(ciphertext) for ciphertext in vectors[0]]
    for vector in vectors[1:]:
        total = [held * more % modulus for held, more in zip(total, vector, strict=True)]
    return [int(ciphertext) for ciphertext in total]


def to_bytes(ciphertexts: Sequence[Ciphertext], public_key: PublicKey) -> bytes:
    """Fixed-width big-endian bytes, ``public_key.ciphertext_bytes`` each."""
    return to_fixed_bytes(ciphertexts, public_key.ciphertext_bytes)


def from_bytes(blob: bytes, public_key: PublicKey) -> list[Ciphertext]:
    """Read what ``to_bytes`` wrote; ``check`` is still to do."""
    return from_fixed_bytes(blob, public_key.ciphertext_bytes, "A ciphertext vector")


def as_phe(public_key: PublicKey) -> phe.PaillierPublicKey:
    """The same key as python-paillier knows it, to compare and to interoperate."""
    return phe.PaillierPublicKey(public_key.n)


def phe_keypair(key_bits: int) -> tuple[phe.PaillierPublicKey, phe.PaillierPrivateKey]:
    """A fresh key pair of python-paillier, for the laboratory protocol with one shared key."""
    public, private = phe.generate_paillier_keypair(n_length=key_bits)
    return public, private


def phe_private_key(p: int, q: int) -> phe.PaillierPrivateKey:
    """python-paillier's private key of two primes; refused where they are none."""
    if p == q or not (gmpy2.is_prime(p) and gmpy2.is_prime(q)):
        raise ProtocolRefused(
            "malformed_key", gettext_noop("The key's modulus is not the product of two odd primes.")
        )
    return phe.PaillierPrivateKey(phe.PaillierPublicKey(p * q), p, q)
