"""How many bytes a round will take, reckoned before it from nothing but what its manifest will say.

Messages have fixed widths, so a stand-in of each is as long as the real one. Counted are the bodies
of a round's own requests and answers. Asking what is next, rosters and keys come on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from consortium.protocol.envelope import COORDINATOR, Signed, canonical, frame
from consortium.protocol.masked_round import MaskAdvertisement, MaskRoll, RollEntry
from consortium.protocol.packing import Layout, ciphertexts_needed, smallest_layout
from consortium.protocol.roster import Numbers
from consortium.protocol.sealing import OVERHEAD_BYTES
from consortium.protocol.secagg_messages import (
    Advertisement,
    ReleasedShare,
    ShareCommitment,
    SharePair,
)
from consortium.protocol.spec import (
    METRICS,
    Box,
    Contribution,
    DerivedResult,
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    LayoutName,
    Manifest,
    PartialHeader,
    ProtocolName,
    Receipt,
    Step,
    SubmissionHeader,
    values_digest,
)
from consortium.protocol.transcript import CHALLENGE_BITS, HIDING_BITS
from consortium.protocol.wire import Json, Message
from consortium.protocol.words import bytes_needed

Phase = Literal["keys", "submission", "list", "opening", "result"]
PHASES: tuple[Phase, ...] = ("keys", "submission", "list", "opening", "result")

_ID = "00000000-0000-4000-8000-{:012x}".format
_BANK, _DIGEST, _SIGNATURE, _SHARE = _ID(0), "0" * 64, "0" * 128, "0" * 132
_NOW, _LOG_INDEX, _COUNT = 1_800_000_000, 10_000, 10
_ACKNOWLEDGED = len(canonical({"state": "frozen", "phase": "signing"}))
_CHALLENGE_BYTES = CHALLENGE_BITS // 8


@dataclass(frozen=True)
class Traffic:
    """Bytes that one bank sends and receives."""

    sent: int = 0
    received: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent + other.sent, self.received + other.received)

    def __mul__(self, times: int) -> Traffic:
        return Traffic(self.sent * times, self.received * times)


@dataclass(frozen=True)
class RunShape:
    """What the size of a run's messages depends on, its sums aside.

    ``banks`` are the members, all of which are taken to contribute; ``model`` and ``recipe`` are
    those of the manifest. ``key_bits`` says nothing where sums are masked.
    """

    protocol: ProtocolName
    banks: int
    key_bits: int
    purpose: str = "fraud-detection"
    model: Json = field(default_factory=dict)
    recipe: Json = field(default_factory=dict)

    @property
    def numbers(self) -> Numbers:
        return Numbers.of(self.banks)

    @property
    def masked(self) -> bool:
        return self.protocol == "secagg"

    @property
    def custodians(self) -> int:
        """How many banks are asked to give towards opening a sum."""
        return {"secagg": self.banks, "paillier-threshold": self.numbers.threshold}.get(
            self.protocol, 0
        )

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(map(_ID, range(self.banks)))


def layout_of(shape: RunShape, step: Step) -> Layout:
    """The layout that the centre chooses for the step."""
    return smallest_layout(step.bits, shape.protocol)


def ciphertexts_of(shape: RunShape, step: Step) -> int:
    """Ciphertexts that hold one bank's vector; 0 where it is masked."""
    if shape.masked:
        return 0
    return ciphertexts_needed(step.length, layout_of(shape, step), shape.key_bits)


def body_bytes(shape: RunShape, step: Step) -> int:
    """One bank's closed vector, without header and proof."""
    if shape.masked:
        return bytes_needed(step.length, layout_of(shape, step).sum_bits(shape.banks))
    return ciphertexts_of(shape, step) * 2 * shape.key_bits // 8


def submission_bytes(shape: RunShape, step: Step) -> int:
    """One upload: header, closed vector, and its proof or the roll that it was masked under."""
    header = SubmissionHeader(_BANK, _BANK, _BANK, _DIGEST, _DIGEST, _DIGEST)
    if shape.masked:
        proof = len(_roll(shape).to_bytes())
    else:
        proof = _CHALLENGE_BYTES + 2 * shape.key_bits // 8
    return _frame(header, body_bytes(shape, step), proof)


def opening_bytes(shape: RunShape, step: Step) -> int:
    """What one custodian sends towards opening the sum: a box for each member."""
    box = _payload_bytes(shape, step) + OVERHEAD_BYTES
    return _frame(_partial_header(shape), *[box] * shape.banks)


def round_traffic(shape: RunShape, step: Step, *, custodian: bool) -> Mapping[Phase, Traffic]:
    """One contributing bank's bytes by phase; ``custodian`` says whether it gives to the opening.

    Under masks each member gives, and each receives what all give.
    """
    gives = custodian and shape.custodians > 0
    roll = _roll_answer_bytes(shape) if shape.masked else 0
    opening = shape.banks * submission_bytes(shape, step) + _certificate_bytes(shape)
    result = shape.custodians * _partial_answer_bytes(shape, step)
    return {
        "keys": Traffic(_advertisement_bytes(shape), _ACKNOWLEDGED) if shape.masked else Traffic(),
        "submission": Traffic(
            submission_bytes(shape, step), _manifest_bytes(shape, step) + roll + _receipt_bytes()
        ),
        "list": Traffic(_signed(_FREEZE_WORD), _signed(_proposal(shape)) + _ACKNOWLEDGED),
        "opening": Traffic(
            opening_bytes(shape, step) if gives else 0,
            opening + (roll + _ACKNOWLEDGED if gives else 0),
        ),
        "result": Traffic(
            _derived_bytes(step),
            result + roll + (_certificate_bytes(shape) if gives else 0) + _ACKNOWLEDGED,
        ),
    }


def bank_traffic(shape: RunShape, step: Step, *, custodian: bool) -> Traffic:
    """One bank's bytes in a round."""
    return sum(round_traffic(shape, step, custodian=custodian).values(), Traffic())


def traffic_in_all(shape: RunShape, step: Step) -> Traffic:
    """The bytes of all banks in a round."""
    giving, others = shape.custodians, shape.banks - shape.custodians
    one, other = (bank_traffic(shape, step, custodian=gives) for gives in (True, False))
    return one * giving + other * others


@dataclass(frozen=True)
class SumsOfAKind:
    """Sums of one name in a run: how many, the longest, and one bank's uploads for them."""

    name: str
    times: int
    length: int
    upload: int


@dataclass(frozen=True)
class RunTraffic:
    """A run's bytes: of one bank that takes its share of the openings, and sent by all."""

    kinds: tuple[SumsOfAKind, ...]
    bank: Traffic
    in_all: int

    @property
    def sums(self) -> int:
        return sum(kind.times for kind in self.kinds)

    @property
    def upload(self) -> int:
        return sum(kind.upload for kind in self.kinds)


def run_traffic(shape: RunShape, steps: Sequence[Step]) -> RunTraffic:
    """What the rounds of these steps take, if no attempt fails."""
    all_banks = sum((traffic_in_all(shape, step) for step in steps), Traffic())
    named: dict[str, list[Step]] = {}
    for step in steps:
        named.setdefault(step.name, []).append(step)
    kinds = (
        SumsOfAKind(
            name,
            times=len(same),
            length=max(step.length for step in same),
            upload=sum(submission_bytes(shape, step) for step in same),
        )
        for name, same in named.items()
    )
    one = Traffic(all_banks.sent // shape.banks, all_banks.received // shape.banks)
    return RunTraffic(tuple(kinds), one, all_banks.sent)


def working_bytes(shape: RunShape, step: Step) -> int:
    """Memory that a bank needs at once to add and open a sum, besides what its program takes.

    Ciphertexts are held as numbers of about their own length, once read and once as sent; masked
    vectors are numbers already. To that the partials of all custodians and the opened values.
    """
    held = 8 * step.length if shape.masked else body_bytes(shape, step)
    closed = shape.banks * (body_bytes(shape, step) + held)
    given = shape.custodians * _payload_bytes(shape, step)
    return closed + 3 * given + 4 * 8 * step.length


# Stand-ins


def _signed(message: Message, signer: str = _BANK) -> int:
    return len(Signed(message.body(), signer, _SIGNATURE).to_bytes())


def _frame(header: Message, *blobs: int) -> int:
    empty = frame(Signed(header.body(), _BANK, _SIGNATURE).to_wire(), *[b""] * len(blobs))
    return len(empty) + sum(blobs)


def _manifest_bytes(shape: RunShape, step: Step) -> int:
    numbers = shape.numbers
    return _signed(
        Manifest(
            task=_BANK,
            run=_BANK,
            round=_BANK,
            number=1,
            attempt=1,
            step=step.name,
            purpose=shape.purpose,
            protocol=shape.protocol,
            layout=cast(LayoutName, layout_of(shape, step).id),
            length=step.length,
            ciphertexts=ciphertexts_of(shape, step),
            clip="0.25",
            weight_cap="100000",
            epoch=_BANK,
            key_id=_DIGEST,
            key_bits=shape.key_bits,
            roster=_DIGEST,
            roster_version=1,
            members=shape.members,
            minimum_cohort=numbers.minimum_cohort,
            quorum=numbers.quorum,
            threshold=numbers.threshold,
            base_model=_DIGEST,
            window="2026-01-01",
            seed=_DIGEST,
            model=shape.model,
            recipe=shape.recipe,
            opened_at=_NOW,
            deadline=_NOW + 1,
        ),
        COORDINATOR,
    )


def _boxes(shape: RunShape) -> tuple[Box, ...]:
    return tuple(Box(bank, _DIGEST) for bank in shape.members)


def _mask_advertisement(shape: RunShape) -> MaskAdvertisement:
    commitments = tuple(ShareCommitment(bank, _DIGEST, _DIGEST) for bank in shape.members)
    advertised = Advertisement(_BANK, _DIGEST, _DIGEST, commitments)
    return MaskAdvertisement(_BANK, _BANK, _DIGEST, advertised, _boxes(shape))


_PAIR_BOX = len(SharePair(_BANK, _BANK, _SHARE, _SHARE).to_bytes()) + OVERHEAD_BYTES


def _advertisement_bytes(shape: RunShape) -> int:
    return _frame(_mask_advertisement(shape), *[_PAIR_BOX] * shape.banks)


def _roll(shape: RunShape) -> Signed:
    entries = tuple(RollEntry(bank, _DIGEST) for bank in shape.members)
    return Signed(MaskRoll(_BANK, _BANK, _DIGEST, entries).body(), COORDINATOR, _SIGNATURE)


def _roll_answer_bytes(shape: RunShape) -> int:
    one = Signed(_mask_advertisement(shape).body(), _BANK, _SIGNATURE).to_wire()
    served = {"advertisement": one, "box": "0" * 2 * _PAIR_BOX}
    return len(canonical({"roll": _roll(shape).to_wire(), "advertisements": [served]})) + (
        shape.banks - 1
    ) * len(canonical([served]))


def _receipt_bytes() -> int:
    return _signed(Receipt(_BANK, _BANK, _BANK, _DIGEST, _LOG_INDEX, _DIGEST, _NOW), COORDINATOR)


def _proposal(shape: RunShape) -> FreezeProposal:
    lines = tuple(Contribution(bank, _DIGEST) for bank in shape.members)
    return FreezeProposal(_BANK, _BANK, _DIGEST, _DIGEST, lines)


_FREEZE_WORD = FreezeSignature(_BANK, _BANK, _DIGEST, _DIGEST)


def _certificate_bytes(shape: RunShape) -> int:
    """With the signatures of all: nobody waits for a quorum only where all are there."""
    word = Signed(_FREEZE_WORD.body(), _BANK, _SIGNATURE)
    return len(FreezeCertificate(_proposal(shape), (word,) * shape.banks).to_bytes())


def _partial_header(shape: RunShape) -> PartialHeader:
    return PartialHeader(_BANK, _BANK, _BANK, 1, _DIGEST, _DIGEST, _DIGEST, _boxes(shape))


def _payload_bytes(shape: RunShape, step: Step) -> int:
    if shape.masked:
        share = ReleasedShare(_BANK, _BANK, "seed", _SHARE).to_wire()
        return len(frame({}, canonical([share] * shape.banks)))
    if not shape.custodians:
        return 0
    width = shape.key_bits // 8
    response = shape.key_bits + CHALLENGE_BITS + HIDING_BITS + 1
    proof = _CHALLENGE_BYTES + (response + 7) // 8
    return len(frame({}, b"", b"")) + ciphertexts_of(shape, step) * width + proof


def _partial_answer_bytes(shape: RunShape, step: Step) -> int:
    header = Signed(_partial_header(shape).body(), _BANK, _SIGNATURE).to_wire()
    box = _payload_bytes(shape, step) + OVERHEAD_BYTES
    return len(canonical({"header": header, "box": ""})) + 2 * box + len(",")


def _derived_bytes(step: Step) -> int:
    values = (_COUNT,) * step.length if step.name == METRICS else None
    following = None if values else step
    result = values_digest(values) if values else _DIGEST
    return _signed(DerivedResult(_BANK, _BANK, _BANK, _DIGEST, result, following, values))
