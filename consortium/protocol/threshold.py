"""Opening a Paillier sum by any t of n custodians, none of whom holds the key.

A ciphertext c = (1 + mn) r^n modulo n² opens to whoever knows the root r = c^(1/n) modulo n
(Paillier, EUROCRYPT 1999: decryption that recovers the randomness). Taking roots modulo n is
RSA with the public exponent n, and that is shared as in Shoup's threshold RSA (EUROCRYPT 2000):
n is a product of two safe primes, the exponent 1/(2Δ²n) lies on a polynomial modulo p'q', where
Δ = custodians!, custodian i gives c^(2Δ s_i), and any t of these combine to r².

Beside the classic form (Damgård and Jurik, PKC 2001), which raises c modulo n² to shares twice as
long: a partial decryption costs an eighth and takes half the bytes; and an opening checks itself,
for n-th powers modulo n are a permutation, so exactly one root fits and no custodian can shift a
value. The proofs of the partials still say *who* it was when nothing fits. The root of a sum says
no more of its terms than the sum does: for any two honest uploads, the plaintext and root of one
can be chosen freely and fix those of the other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property

import gmpy2
from gmpy2 import mpz

from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.exponentiation import powers, secret_powers
from consortium.protocol.integers import (
    exact_fields,
    from_fixed_bytes,
    from_hex,
    small_integer,
    to_fixed_bytes,
    to_hex,
)
from consortium.protocol.paillier import MAXIMUM_KEY_BITS, Ciphertext, PublicKey
from consortium.protocol.proofs import EqualExponents
from consortium.protocol.shamir import lagrange

MAX_CUSTODIANS = 32


def require_quorum(custodians: object, threshold: object) -> tuple[int, int]:
    """Read n and t, with 2 <= t <= n: a key that one custodian can use alone is not shared."""
    n = small_integer(custodians, "custodians", low=2, high=MAX_CUSTODIANS)
    return n, small_integer(threshold, "threshold", low=2, high=n)


@dataclass(frozen=True)
class ThresholdPublicKey:
    """What everybody knows of a shared key.

    ``v`` generates the squares modulo n; ``verification_keys[i - 1]`` is ``v^(s_i)``.
    """

    n: int
    threshold: int
    custodians: int
    v: int
    verification_keys: tuple[int, ...]
    allow_small: InitVar[bool] = False

    def __post_init__(self, allow_small: bool) -> None:
        paillier.require_key_size(self.n, allow_small=allow_small)
        require_quorum(self.custodians, self.threshold)
        small_integer(
            len(self.verification_keys),
            "verification_keys",
            low=self.custodians,
            high=self.custodians,
        )
        if not are_units([self.v, *self.verification_keys], self.n):
            raise ProtocolRefused(
                "malformed_key", gettext_noop("A verification key is not a number modulo n.")
            )

    @cached_property
    def paillier(self) -> PublicKey:
        """The key to encrypt with."""
        return PublicKey(self.n, allow_small=True)

    @property
    def key_id(self) -> str:
        return self.paillier.key_id

    @cached_property
    def delta(self) -> int:
        """Δ, which makes every Lagrange weight whole."""
        return math.factorial(self.custodians)

    @property
    def partial_bytes(self) -> int:
        """The fixed width of one partial decryption on the wire."""
        return self.n.bit_length() // 8

    def weights(self, indices: Sequence[int], at: int = 0) -> dict[int, int]:
        """Δ times the Lagrange weights of these custodians: whole numbers."""
        return {i: int(self.delta * lagrange(i, indices, at)) for i in indices}

    def to_wire(self) -> dict[str, object]:
        return {
            "n": to_hex(self.n),
            "threshold": self.threshold,
            "custodians": self.custodians,
            "v": to_hex(self.v),
            "verification_keys": [to_hex(key) for key in self.verification_keys],
        }

    @classmethod
    def from_wire(cls, wire: object, *, allow_small: bool = False) -> ThresholdPublicKey:
        names = ["n", "threshold", "custodians", "v", "verification_keys"]
        fields = exact_fields(wire, names, "A threshold key")
        custodians, threshold = require_quorum(fields["custodians"], fields["threshold"])
        keys = fields["verification_keys"]
        if not isinstance(keys, list) or len(keys) != custodians:
            raise ProtocolRefused(
                "malformed_object",
                gettext_noop("A threshold key has one verification key for each custodian."),
                field="verification_keys",
            )
        bits = MAXIMUM_KEY_BITS
        return cls(
            n=from_hex(fields["n"], "n", bits=bits),
            threshold=threshold,
            custodians=custodians,
            v=from_hex(fields["v"], "v", bits=bits),
            verification_keys=tuple(from_hex(k, "verification_keys", bits=bits) for k in keys),
            allow_small=allow_small,
        )


@dataclass(frozen=True)
class KeyShare:
    """One custodian's secret: the polynomial's value at ``index`` (1 to n)."""

    index: int
    value: int = field(repr=False)

    def to_wire(self) -> dict[str, object]:
        return {"index": self.index, "value": to_hex(self.value)}

    @classmethod
    def from_wire(cls, wire: object) -> KeyShare:
        fields = exact_fields(wire, ["index", "value"], "A key share")
        return cls(
            index=small_integer(fields["index"], "index", low=1, high=MAX_CUSTODIANS),
            value=from_hex(fields["value"], "value", bits=MAXIMUM_KEY_BITS),
        )


def check_share(public: ThresholdPublicKey, share: KeyShare) -> None:
    """Refuse a share that is not the one its verification key was made for."""
    require_custodian(public, share.index)
    expected = [public.verification_keys[share.index - 1]]
    if not share.value or secret_powers([public.v], share.value, public.n) != expected:
        raise ProtocolRefused(
            "wrong_share", gettext_noop("This key share does not fit its verification key.")
        )


def check_verification_keys(public: ThresholdPublicKey) -> None:
    """Refuse verification keys that do not lie on one polynomial of degree t - 1.

    Then any two sets of t custodians open the same plaintext.
    """
    first = range(1, public.threshold + 1)
    for index in range(public.threshold + 1, public.custodians + 1):
        expected = gmpy2.powmod(public.verification_keys[index - 1], public.delta, public.n)
        interpolated = mpz(1)
        for known, weight in public.weights(first, at=index).items():
            power = gmpy2.powmod(public.verification_keys[known - 1], weight, public.n)
            interpolated = interpolated * power % public.n
        if expected != interpolated:
            raise ProtocolRefused(
                "inconsistent_verification_keys",
                gettext_noop("The verification keys do not belong to one shared key."),
            )


def partial_decryption(
    public: ThresholdPublicKey, share: KeyShare, ciphertexts: Sequence[Ciphertext]
) -> list[int]:
    """This custodian's ``c^(2Δ s_i) mod n`` for each ciphertext, in constant time.

    Only for a product that the custodian formed itself, under a freeze certificate.
    """
    require_custodian(public, share.index)
    paillier.check(ciphertexts, public.paillier)
    return secret_powers(ciphertexts, 2 * public.delta * share.value, public.n)


def prove_partials(
    public: ThresholdPublicKey,
    share: KeyShare,
    ciphertexts: Sequence[Ciphertext],
    partials: Sequence[int],
    context: bytes,
) -> bytes:
    """One proof that all ``partials`` were made with the share of this custodian."""
    statement = _statement(public, share.index, ciphertexts, partials, context)
    return statement.prove(share.value)


def verify_partials(
    public: ThresholdPublicKey,
    index: int,
    ciphertexts: Sequence[Ciphertext],
    partials: Sequence[int],
    context: bytes,
    proof: bytes,
) -> None:
    """Refuse, naming custodian ``index``, partials that its share does not give.

    ``ciphertexts`` must have passed ``paillier.check``; the partials are checked here.
    """
    require_custodian(public, index)
    statement = _statement(public, index, ciphertexts, partials, context)
    if not are_units(partials, public.n) or not statement.holds(proof):
        raise ProtocolRefused(
            "partial_decryption_forged",
            gettext_noop(
                "Custodian %(index)s sent a partial decryption that its key does not give."
            ),
            index=index,
        )


def _statement(
    public: ThresholdPublicKey,
    index: int,
    ciphertexts: Sequence[Ciphertext],
    partials: Sequence[int],
    context: bytes,
) -> EqualExponents:
    """partial_j = (c_j^(2Δ))^(s_i), with the exponent of the custodian's verification key.

    The bases are c modulo n, so the whole ciphertexts enter by their digest.
    """
    digest = hashlib.sha256(paillier.to_bytes(ciphertexts, public.paillier)).digest()
    return EqualExponents(
        modulus=public.n,
        generator=public.v,
        key=public.verification_keys[index - 1],
        bases=powers(ciphertexts, 2 * public.delta, public.n),
        images=partials,
        exponent_bits=public.n.bit_length(),
        context=index.to_bytes(8, "big") + digest + context,
    )


def combine(
    public: ThresholdPublicKey,
    ciphertexts: Sequence[Ciphertext],
    partials: Mapping[int, Sequence[int]],
) -> list[int]:
    """Plaintexts of ``ciphertexts`` from the partials of at least t custodians, by index.

    With more than t, those of the lowest indices are used. What comes out is right: partials
    that do not give the root of every ciphertext are refused, ``verify_partials`` names whose.
    """
    for index in partials:
        require_custodian(public, index)
    if len(partials) < public.threshold:
        raise ProtocolRefused(
            "too_few_custodians",
            gettext_noop("%(have)s of %(need)s partial decryptions are here."),
            have=len(partials),
            need=public.threshold,
        )
    chosen = sorted(partials)[: public.threshold]
    if any(len(partials[index]) != len(ciphertexts) for index in chosen):
        raise ProtocolRefused(
            "wrong_length", gettext_noop("There must be one partial decryption a ciphertext.")
        )
    n, modulus = mpz(public.n), mpz(public.paillier.n_squared)
    roots = [mpz(1)] * len(ciphertexts)
    for index, weight in public.weights(chosen).items():
        if not are_units(partials[index], public.n):
            raise _not_a_decryption()
        raised = powers(partials[index], 2 * weight, public.n)
        roots = [held * more % n for held, more in zip(roots, raised, strict=True)]
    # c² = (1 + 2mn) root^n, and the root is unique modulo n: what fits is the plaintext.
    masks = powers(roots, -public.n, public.paillier.n_squared)
    bare = [mpz(c) * c * mask % modulus for c, mask in zip(ciphertexts, masks, strict=True)]
    if any(value % n != 1 for value in bare):
        raise _not_a_decryption()
    half = (n + 1) // 2
    return [int((value - 1) // n * half % n) for value in bare]


def partials_to_bytes(public: ThresholdPublicKey, partials: Sequence[int]) -> bytes:
    """Fixed-width big-endian bytes, ``public.partial_bytes`` each."""
    return to_fixed_bytes(partials, public.partial_bytes)


def partials_from_bytes(public: ThresholdPublicKey, blob: bytes) -> list[int]:
    """Read what ``partials_to_bytes`` wrote; ``verify_partials`` is still to do."""
    return from_fixed_bytes(blob, public.partial_bytes, "A vector of partial decryptions")


def are_units(numbers: Sequence[int], n: int) -> bool:
    """Whether all ``numbers`` are between 0 and n and share no factor with it."""
    product = mpz(1)
    for number in numbers:
        if not 0 < number < n:
            return False
        product = product * number % n
    return bool(gmpy2.gcd(product, n) == 1)


def _not_a_decryption() -> ProtocolRefused:
    return ProtocolRefused(
        "not_a_decryption",
        gettext_noop("The partial decryptions do not open these ciphertexts."),
    )


def require_custodian(public: ThresholdPublicKey, index: int) -> None:
    """Refuse an index that no custodian of this key has."""
    if not 1 <= index <= public.custodians:
        raise ProtocolRefused(
            "unknown_custodian",
            gettext_noop("There is no custodian %(index)s for this key."),
            index=index,
        )
