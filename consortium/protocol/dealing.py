"""Making a shared key: primes, shares, verification keys, proof; then forgetting the primes.

The dealer learns everything while it runs. So a ceremony runs it before witnesses in a process
of its own (``deal_in_own_process``), which ends, and with it its memory, once the shares are out:
Python cannot overwrite an integer in place, an ended process has none.
"""

from __future__ import annotations

import json
import math
import os
import resource
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gmpy2

from consortium.protocol.biprimality import prove_biprime, verify_biprime
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.exponentiation import secret_powers
from consortium.protocol.integers import bytes_from_hex, exact_fields
from consortium.protocol.paillier import require_key_size
from consortium.protocol.primes import Below, is_safe_prime, safe_prime
from consortium.protocol.shamir import split
from consortium.protocol.threshold import (
    KeyShare,
    ThresholdPublicKey,
    check_share,
    check_verification_keys,
    require_quorum,
)


@dataclass(frozen=True)
class Dealing:
    """A new shared key: what is published, and one share to be sealed to each custodian."""

    public: ThresholdPublicKey
    shares: tuple[KeyShare, ...]
    biprimality: bytes

    def to_wire(self) -> dict[str, object]:
        return {
            "public": self.public.to_wire(),
            "shares": [share.to_wire() for share in self.shares],
            "biprimality": self.biprimality.hex(),
        }

    @classmethod
    def from_wire(cls, wire: object, *, allow_small: bool = False) -> Dealing:
        fields = exact_fields(wire, ["public", "shares", "biprimality"], "A dealing")
        shares, proof = fields["shares"], bytes_from_hex(fields["biprimality"], "biprimality")
        if not isinstance(shares, list):
            raise ProtocolRefused(
                "malformed_object", gettext_noop("A dealing holds a list of key shares.")
            )
        return cls(
            public=ThresholdPublicKey.from_wire(fields["public"], allow_small=allow_small),
            shares=tuple(KeyShare.from_wire(share) for share in shares),
            biprimality=proof,
        )


def default_threshold(custodians: int) -> int:
    """A majority: ⌊n/2⌋ + 1."""
    return custodians // 2 + 1


def deal(
    key_bits: int,
    custodians: int,
    threshold: int,
    rng: Below = secrets.randbelow,
    safe_primes: tuple[int, int] | None = None,
    *,
    allow_small: bool = False,
) -> Dealing:
    """Deal a key of ``key_bits`` bits to ``custodians``, any ``threshold`` of whom open.

    The primes are made here unless ``safe_primes`` gives them; they are in nothing returned.
    """
    require_quorum(custodians, threshold)
    p, q = safe_primes or _two_safe_primes(key_bits, rng)
    _require_good_primes(p, q, key_bits)
    n = p * q
    require_key_size(n, allow_small=allow_small)
    order = (p // 2) * (q // 2)
    root = pow(2 * math.factorial(custodians) ** 2 * n, -1, order)
    values = split(root, threshold, range(1, custodians + 1), order, rng)
    generator = pow(_unit(n, rng), 2, n)
    keys = [secret_powers([generator], value, n)[0] for value in values.values()]
    proof = prove_biprime(p, q, rng)
    return Dealing(
        public=ThresholdPublicKey(
            n, threshold, custodians, generator, tuple(keys), allow_small=allow_small
        ),
        shares=tuple(KeyShare(index, value) for index, value in values.items()),
        biprimality=proof,
    )


def check_dealing(public: ThresholdPublicKey, biprimality: bytes, share: KeyShare) -> None:
    """What a custodian checks before it accepts a key: modulus, verification keys, own share."""
    check_public_side(public, biprimality)
    check_share(public, share)


def check_public_side(public: ThresholdPublicKey, biprimality: bytes) -> None:
    """What every bank checks before it closes anything under a key, with or without a share."""
    verify_biprime(public.n, biprimality)
    check_verification_keys(public)


def deal_in_own_process(
    key_bits: int, custodians: int, threshold: int, *, allow_small: bool = False
) -> Dealing:
    """Deal in a process of its own, which alone ever holds the primes and ends with them."""
    root = Path(__file__).resolve().parents[2]
    arguments = [str(number) for number in (key_bits, custodians, threshold)]
    done = subprocess.run(
        [sys.executable, "-m", __name__, *arguments, *(["--allow-small"] if allow_small else [])],
        cwd=root,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return Dealing.from_wire(json.loads(done.stdout), allow_small=allow_small)


def _two_safe_primes(key_bits: int, rng: Below) -> tuple[int, int]:
    p = safe_prime(key_bits // 2, rng)
    while True:
        q = safe_prime(key_bits // 2, rng)
        if abs(p - q).bit_length() > key_bits // 2 - 100:
            return p, q


def _require_good_primes(p: int, q: int, key_bits: int) -> None:
    if (
        p == q
        or p.bit_length() != q.bit_length()
        or (p * q).bit_length() != key_bits
        or not is_safe_prime(p)
        or not is_safe_prime(q)
    ):
        raise ProtocolRefused(
            "bad_primes",
            gettext_noop("A shared key needs two different safe primes of half its length."),
        )


def _unit(n: int, rng: Below) -> int:
    while True:
        candidate = rng(n)
        if gmpy2.gcd(candidate, n) == 1:
            return candidate


def main() -> None:
    """Deal once and write the dealing to standard output, for ``deal_in_own_process``."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    key_bits, custodians, threshold = (int(argument) for argument in sys.argv[1:4])
    dealing = deal(key_bits, custodians, threshold, allow_small="--allow-small" in sys.argv[4:])
    json.dump(dealing.to_wire(), sys.stdout)


if __name__ == "__main__":
    main()
