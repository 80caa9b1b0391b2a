"""How fast this machine does a bank's part of a round: a few operations timed once.

Each phase is done at two sizes with the product's own functions, and a straight line is laid
through the two. Keys are stand-ins: numbers as long as real ones, of which nobody knows anything
and for which nothing is ever encrypted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import gmpy2
import numpy as np

from consortium.protocol import paillier, popk, secagg, threshold
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.exponentiation import secret_powers
from consortium.protocol.packing import layout_named, pack, unpack, values_per_ciphertext
from consortium.protocol.paillier import PublicKey
from consortium.protocol.secagg_messages import Session
from consortium.protocol.shared_key import SharedKey
from consortium.protocol.sizes import RunShape, ciphertexts_of
from consortium.protocol.spec import Step
from consortium.protocol.threshold import KeyShare, ThresholdPublicKey

PHASES = ("encrypt", "add", "open", "derive")
"""What a bank does in a round after it has learned: closes its vector, fetches and adds those of
all, gives towards the sum, opens it."""

CIPHERTEXTS = (16, 64)
VALUES = (4_000, 64_000)
_CONTEXT = b"calibration"
_LAYOUT = "k16b24"


@dataclass(frozen=True)
class Line:
    """Seconds of a phase: so many whatever the size, and so many for each unit more."""

    fixed: float
    each: float

    def seconds(self, units: int) -> float:
        return self.fixed + self.each * units

    @classmethod
    def through(cls, small: tuple[int, float], large: tuple[int, float]) -> Line:
        each = max(0.0, (large[1] - small[1]) / (large[0] - small[0]))
        return cls(max(0.0, small[1] - each * small[0]), each)


@dataclass(frozen=True)
class Pace:
    """A line for each phase; its units are ciphertexts, or masked values."""

    lines: Mapping[str, Line]

    def seconds(self, shape: RunShape, step: Step) -> dict[str, float]:
        """Seconds by phase that a round of ``step`` takes a bank that gives to the opening."""
        units = step.length if shape.masked else ciphertexts_of(shape, step)
        return {phase: self.lines[phase].seconds(units) for phase in PHASES}

    def to_json(self) -> dict[str, list[float]]:
        return {phase: [line.fixed, line.each] for phase, line in self.lines.items()}

    @classmethod
    def from_json(cls, body: Mapping[str, list[float]]) -> Pace:
        return cls({phase: Line(*body[phase]) for phase in PHASES})


Clock = Callable[[], float]
Part = Callable[[int], "Stopwatch"]


def measure(shape: RunShape, *, clock: Clock = time.perf_counter) -> Pace:
    """Time a bank's work under ``shape``; takes some seconds for keys of 3072 bits."""
    part = _PARTS[shape.protocol](shape, clock)
    small, large = VALUES if shape.masked else CIPHERTEXTS
    first, second = part(small).taken, part(large).taken
    lines = {p: Line.through((small, first[p]), (large, second[p])) for p in PHASES}
    return Pace(lines)


class Stopwatch:
    """Seconds by phase."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.taken = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def measure(self, phase: str, times: int = 1) -> Iterator[None]:
        """Count the block as if it had been done so many times."""
        began = self._clock()
        yield
        self.taken[phase] += times * (self._clock() - began)


def _threshold(shape: RunShape, clock: Clock) -> Part:
    """Any exponent serves as a share: nobody can tell an opening that comes out from one that
    does not before the last multiplication."""
    numbers, n = shape.numbers, _modulus(shape.key_bits)
    share = KeyShare(1, secrets.randbits(shape.key_bits - 1) | 1)
    v = secrets.randbelow(n - 2) + 2
    key = secret_powers([v], share.value, n)[0]
    public = ThresholdPublicKey(
        n, numbers.threshold, shape.banks, v, (key,) * shape.banks, allow_small=True
    )

    def part(units: int) -> Stopwatch:
        watch = Stopwatch(clock)
        summed = _sealed_and_added(shape, public.paillier, units, watch)
        with watch.measure("open"):
            partials = threshold.partial_decryption(public, share, summed)
            proof = threshold.prove_partials(public, share, summed, partials, _CONTEXT)
        with watch.measure("derive", numbers.threshold):
            threshold.verify_partials(public, 1, summed, partials, _CONTEXT, proof)
        with watch.measure("derive"):
            given = dict.fromkeys(range(1, numbers.threshold + 1), partials)
            with suppress(ProtocolRefused):  # as it must be: these are no shares of one key
                threshold.combine(public, summed, given)
        return watch

    return part


def _shared(shape: RunShape, clock: Clock) -> Part:
    key = SharedKey.generate(shape.key_bits, allow_small=True)

    def part(units: int) -> Stopwatch:
        watch = Stopwatch(clock)
        summed = _sealed_and_added(shape, key.public, units, watch)
        with watch.measure("derive"):
            unpack(
                key.open(summed),
                layout=layout_named(_LAYOUT),
                key_bits=shape.key_bits,
                length=_values(shape, units),
                contributors=shape.banks,
            )
        return watch

    return part


def _sealed_and_added(shape: RunShape, key: PublicKey, units: int, watch: Stopwatch) -> list[int]:
    values = np.ones(_values(shape, units), dtype=np.int64)
    with watch.measure("encrypt"):
        plaintexts = pack(values, layout=layout_named(_LAYOUT), key_bits=shape.key_bits, tag=1)
        randomness = paillier.Randomisers(key).draw(len(plaintexts))
        ciphertexts = paillier.encrypt(plaintexts, key, randomness)
        proof = popk.prove_knowledge(key, plaintexts, randomness, ciphertexts, _CONTEXT)
        body = paillier.to_bytes(ciphertexts, key)
    with watch.measure("add", shape.banks):
        vector = paillier.from_bytes(body, key)
        paillier.check(vector, key)
        popk.verify_knowledge(key, vector, _CONTEXT, proof)
    with watch.measure("add"):
        summed = paillier.add([vector] * shape.banks, key)
        paillier.to_bytes(summed, key)
    return summed


def _masked(shape: RunShape, clock: Clock) -> Part:
    def part(units: int) -> Stopwatch:
        watch = Stopwatch(clock)
        session = Session(
            task=shape.members[0],
            round=shape.members[0],
            members=shape.members,
            threshold=shape.numbers.quorum,
            words="k56w64",
            length=units,
        )
        begun = {bank: secagg.begin(session, bank) for bank in shape.members}
        public = {bank: advertisement for bank, (_, advertisement, _) in begun.items()}
        held = {
            holder: {
                pair.owner: pair
                for _, _, pairs in begun.values()
                for pair in pairs
                if pair.holder == holder
            }
            for holder in shape.members
        }
        me, values = shape.members[0], np.ones(units, dtype=np.int64)
        vectors = {
            bank: secagg.mask(session, bank, begun[bank][0], public, bytes(32), values)
            for bank in shape.members[1:]
        }
        with watch.measure("encrypt"):
            for owner, pair in held[me].items():
                secagg.accept(session, me, public[owner], pair)
            mine = secagg.mask(session, me, begun[me][0], public, bytes(32), values)
            body = secagg.to_bytes(session, mine)
        vectors[me] = mine
        with watch.measure("add", shape.banks):
            secagg.from_bytes(session, body)
        with watch.measure("add"):
            total = secagg.add(session, vectors)
        released = {
            bank: secagg.release(session, bank, held[bank], shape.members) for bank in shape.members
        }
        with watch.measure("open"):
            secagg.release(session, me, held[me], shape.members)
        with watch.measure("derive"):
            for shares in released.values():
                secagg.check_released(session, public, shape.members, shares)
            given = [share for shares in released.values() for share in shares]
            secagg.unmask(session, public, shape.members, total, given, bytes(32))
        return watch

    return part


_PARTS: dict[str, Callable[[RunShape, Clock], Part]] = {
    "paillier-threshold": _threshold,
    "paillier-phe": _shared,
    "secagg": _masked,
}


def _values(shape: RunShape, ciphertexts: int) -> int:
    return ciphertexts * values_per_ciphertext(layout_named(_LAYOUT), shape.key_bits)


def _modulus(bits: int) -> int:
    """The product of two primes, of exactly so many bits."""
    half = bits // 2
    p, q = (gmpy2.next_prime(secrets.randbits(half) | 3 << half - 2) for _ in range(2))
    return int(p * q)
