"""Opening a Paillier sum by any t of n custodians, none of whom holds the key.

Damgård and Jurik's threshold Paillier (PKC 2001) after Shoup's threshold RSA (EUROCRYPT 2000):
n is a product of two safe primes, the key d (0 modulo the order of the roots, 1 modulo n) is
shared by a polynomial, custodian i gives ``c^(2Δ s_i)`` with Δ = custodians!, and any t of these
combine to the plaintext. Each comes with a proof against the custodian's verification key, for
else one custodian could shift any value unseen by multiplying its partial by 1 + kn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property

import gmpy2
from gmpy2 import mpz

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.exponentiation import powers, secret_powers
from consortium.protocol.integers import exact_fields, from_hex, small_integer, to_hex
from consortium.protocol.paillier import (
    MAXIMUM_KEY_BITS,
    Ciphertext,
    PublicKey,
    check,
    require_key_size,
)
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

    ``v`` generates the squares modulo n²; ``verification_keys[i - 1]`` is ``v^(Δ s_i)``.
    """

    n: int
    threshold: int
    custodians: int
    v: int
    verification_keys: tuple[int, ...]
    allow_small: InitVar[bool] = False

    def __post_init__(self, allow_small: bool) -> None:
        require_key_size(self.n, allow_small=allow_small)
        require_quorum(self.custodians, self.threshold)
        small_integer(
            len(self.verification_keys),
            "verification_keys",
            low=self.custodians,
            high=self.custodians,
        )
        check([self.v, *self.verification_keys], self.paillier)

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
    def exponent_bits(self) -> int:
        """Bound of Δ s_i, the secret of a custodian's proof."""
        return 2 * self.n.bit_length() + self.delta.bit_length()

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
        wide = 2 * MAXIMUM_KEY_BITS
        return cls(
            n=from_hex(fields["n"], "n", bits=MAXIMUM_KEY_BITS),
            threshold=threshold,
            custodians=custodians,
            v=from_hex(fields["v"], "v", bits=wide),
            verification_keys=tuple(from_hex(k, "verification_keys", bits=wide) for k in keys),
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
            value=from_hex(fields["value"], "value", bits=2 * MAXIMUM_KEY_BITS),
        )


def check_share(public: ThresholdPublicKey, share: KeyShare) -> None:
    """Refuse a share that is not the one its verification key was made for."""
    require_custodian(public, share.index)
    modulus = public.paillier.n_squared
    expected = public.verification_keys[share.index - 1]
    if not share.value or secret_powers([public.v], public.delta * share.value, modulus) != [
        expected
    ]:
        raise ProtocolRefused(
            "wrong_share", gettext_noop("This key share does not fit its verification key.")
        )


def check_verification_keys(public: ThresholdPublicKey) -> None:
    """Refuse verification keys that do not lie on one polynomial of degree t - 1.

    Then any two sets of t custodians open the same plaintext.
    """
    modulus = public.paillier.n_squared
    first = range(1, public.threshold + 1)
    for index in range(public.threshold + 1, public.custodians + 1):
        expected = powers([public.verification_keys[index - 1]], public.delta, modulus)
        if expected != [_weighted_product(public, public.verification_keys, first, at=index)]:
            raise ProtocolRefused(
                "inconsistent_verification_keys",
                gettext_noop("The verification keys do not belong to one shared key."),
            )


def _weighted_product(
    public: ThresholdPublicKey, elements: Sequence[int], indices: Sequence[int], at: int
) -> int:
    modulus, result = public.paillier.n_squared, mpz(1)
    for index, weight in public.weights(indices, at).items():
        result = result * gmpy2.powmod(elements[index - 1], weight, modulus) % modulus
    return int(result)


def partial_decryption(
    public: ThresholdPublicKey, share: KeyShare, ciphertexts: Sequence[Ciphertext]
) -> list[int]:
    """This custodian's ``c^(2Δ s_i) mod n²`` for each ciphertext, in constant time.

    Only for a product that the custodian formed itself, under a freeze certificate.
    """
    require_custodian(public, share.index)
    check(ciphertexts, public.paillier)
    return secret_powers(ciphertexts, 2 * public.delta * share.value, public.paillier.n_squared)


def prove_partials(
    public: ThresholdPublicKey,
    share: KeyShare,
    ciphertexts: Sequence[Ciphertext],
    partials: Sequence[int],
    context: bytes,
) -> bytes:
    """One proof that all ``partials`` were made with the share of this custodian."""
    statement = _statement(public, share.index, ciphertexts, partials, context)
    return statement.prove(public.delta * share.value)


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
    refusal = ProtocolRefused(
        "partial_decryption_forged",
        gettext_noop("Custodian %(index)s sent a partial decryption that its key does not give."),
        index=index,
    )
    if len(partials) != len(ciphertexts):
        raise refusal
    try:
        check(partials, public.paillier)
    except ProtocolRefused as fault:
        raise refusal from fault
    if not _statement(public, index, ciphertexts, partials, context).holds(proof):
        raise refusal


def _statement(
    public: ThresholdPublicKey,
    index: int,
    ciphertexts: Sequence[Ciphertext],
    partials: Sequence[int],
    context: bytes,
) -> EqualExponents:
    """partial_j = (c_j²)^(Δ s_i), with the exponent of the custodian's verification key."""
    modulus = public.paillier.n_squared
    return EqualExponents(
        modulus=modulus,
        generator=public.v,
        key=public.verification_keys[index - 1],
        bases=[ciphertext * ciphertext % modulus for ciphertext in ciphertexts],
        images=partials,
        exponent_bits=public.exponent_bits,
        context=index.to_bytes(8, "big") + context,
    )


def combine(public: ThresholdPublicKey, partials: Mapping[int, Sequence[int]]) -> list[int]:
    """Plaintexts from the partial decryptions of at least t custodians, by index.

    With more than t, those of the lowest indices are used. Refused when what comes out is no
    plaintext: then at least one partial is of other data, and ``verify_partials`` names whose.
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
    if len({len(partials[index]) for index in chosen}) != 1:
        raise ProtocolRefused(
            "wrong_length", gettext_noop("The partial decryptions are not of one length.")
        )
    n, modulus = mpz(public.n), mpz(public.paillier.n_squared)
    opened = [mpz(1)] * len(partials[chosen[0]])
    for index, weight in public.weights(chosen).items():
        raised = powers(partials[index], 2 * weight, public.paillier.n_squared)
        opened = [held * more % modulus for held, more in zip(opened, raised, strict=True)]
    scale = gmpy2.invert(4 * public.delta**2, n)
    if any(value % n != 1 for value in opened):
        raise ProtocolRefused(
            "not_a_decryption",
            gettext_noop("The partial decryptions do not belong to the same ciphertexts."),
        )
    return [int((value - 1) // n * scale % n) for value in opened]


def require_custodian(public: ThresholdPublicKey, index: int) -> None:
    """Refuse an index that no custodian of this key has."""
    if not 1 <= index <= public.custodians:
        raise ProtocolRefused(
            "unknown_custodian",
            gettext_noop("There is no custodian %(index)s for this key."),
            index=index,
        )
