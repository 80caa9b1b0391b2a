"""The messages of an aggregation round, in the order in which a round says them.

``Manifest`` (centre) → ``SubmissionHeader`` (bank) → ``Receipt`` (centre) → ``FreezeProposal``
(centre) → ``FreezeSignature`` (bank) → ``FreezeCertificate`` → ``PartialHeader`` (custodian) →
``DerivedResult`` (bank) → ``ModelVote`` (bank). All but the certificate travel inside
``envelope.Signed``; each refers to those before it by ``hash()``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from consortium.protocol.envelope import Signed, canonical, digest
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.packing import context_tag
from consortium.protocol.wire import (
    Between,
    Count,
    Decimal,
    Digest,
    Identifier,
    Json,
    KeyText,
    Message,
    Name,
    Positive,
    Record,
    Seconds,
    Text,
)

METRICS = "metrics"
"""The step whose sum is published: score histograms by label, once a candidate is accepted."""
METRIC_BITS = 32
RISK_SIGNAL = "risk-signal"
"""The purpose of tasks whose sums only banks read: their runs end without a candidate."""
MOST_BITS = 56

ProtocolName = Literal["paillier-threshold", "secagg", "paillier-phe"]
LayoutName = Literal["k16b24", "k32b40", "k56b64", "k16w24", "k24w32", "k56w64"]


# Joining and keys


@dataclass(frozen=True)
class JoinRequest(Message):
    """A bank accepts its invitation with keys that it made on its own side.

    Signed with the new signing key, as the bank that the invitation names
    (``invitation`` is ``<bank uuid>.<secret>``).
    """

    kind = "join"

    invitation: Name
    signing_key: KeyText
    sealing_key: KeyText


@dataclass(frozen=True)
class JoinAnswer(Message):
    """The centre's answer (signed): who the bank is, and the key the centre signs with."""

    kind = "joined"

    bank: Identifier
    name: Name
    coordinator_key: KeyText


@dataclass(frozen=True)
class Custodian(Record):
    """A bank's place among the key holders; ``share`` is the SHA-256 of its sealed share."""

    bank: Identifier
    index: Positive
    share: Digest


@dataclass(frozen=True)
class Epoch(Message):
    """The public side of a key ceremony for one roster.

    ``public`` is ``threshold.ThresholdPublicKey.to_wire()``; ``key_id`` the SHA-256 of n. Signed by
    the bank that ran the ceremony (``dealer``) and by at least two other members, who thereby say
    that they witnessed it and that their own share fits its verification key.
    """

    kind = "epoch"

    task: Identifier
    epoch: Identifier
    roster: Digest
    roster_version: Positive
    protocol: ProtocolName
    key_id: Digest
    key_bits: Positive
    public: Json
    dealer: Identifier
    custodians: tuple[Custodian, ...]

    def invariants(self) -> None:
        banks = [custodian.bank for custodian in self.custodians]
        indices = sorted(custodian.index for custodian in self.custodians)
        if banks != sorted(set(banks)) or indices != list(range(1, len(banks) + 1)):
            raise ProtocolRefused(
                "bad_epoch", _("Every custodian has one place, and the places are numbered from 1.")
            )

    def index_of(self, bank: str) -> int | None:
        """The share index of ``bank``, or None if it holds no share of this key."""
        return next((c.index for c in self.custodians if c.bank == bank), None)


def share_context(task: str, epoch: str, bank: str) -> bytes:
    """What a custodian's share is sealed under."""
    return _context("share", task, epoch, bank)


# One round


@dataclass(frozen=True)
class Step(Record):
    """One sum on a run's way to a model, as its banks ask for it.

    The centre knows no models: it opens the round that fits (``bits`` a value with its sign,
    ``length`` values). At most ``remaining`` steps follow before there is a candidate.
    """

    name: Name
    bits: Annotated[int, Between(2, MOST_BITS)]
    length: Positive
    remaining: Count


@dataclass(frozen=True)
class Manifest(Message):
    """Everything a bank needs to take part in one round; signed by the centre.

    ``purpose`` is what the members agreed the data may be used for. ``members`` are the banks that
    may contribute: all of the roster that are not suspended, or, where a list of this subject has
    been frozen before, exactly that list. ``step`` names the sum, ``length`` counts its values: the
    first is the task's, each later one what the banks signed (``DerivedResult.next``).
    ``ciphertexts`` says how many Paillier ciphertexts hold them (0 where the vector is masked).
    ``clip`` and ``weight_cap`` are decimal strings in the unit of the values.
    ``base_model`` is the SHA-256 of what the round starts from: ``starting_point(seed, model)`` for
    the first round of a run, the state that the banks signed for each later one. ``model`` and
    ``recipe`` (training) are JSON objects without floats; ``seed`` is public randomness (hex) that
    initial parameters come from, in every round of the run. ``window`` names the data of a run's
    first sum and of its metrics ("" between them). Times are Unix seconds.
    """

    kind = "manifest"

    task: Identifier
    run: Identifier
    round: Identifier
    number: Count
    attempt: Positive
    step: Name
    purpose: Name
    protocol: ProtocolName
    layout: LayoutName
    length: Positive
    ciphertexts: Count
    clip: Decimal
    weight_cap: Decimal
    epoch: Identifier
    key_id: Digest
    key_bits: Positive
    roster: Digest
    roster_version: Positive
    members: tuple[Identifier, ...]
    minimum_cohort: Positive
    quorum: Positive
    threshold: Positive
    base_model: Digest
    window: Text
    seed: Digest
    model: Json
    recipe: Json
    opened_at: Seconds
    deadline: Seconds

    def invariants(self) -> None:
        if list(self.members) != sorted(set(self.members)):
            raise ProtocolRefused(
                "bad_manifest", _("A manifest lists every bank once, in order."), field="members"
            )
        if self.deadline <= self.opened_at:
            raise ProtocolRefused(
                "bad_manifest", _("The deadline is not after the opening."), field="deadline"
            )

    @property
    def subject(self) -> str:
        """What only one list of banks may ever be frozen over (SHA-256).

        Two sums over one base model, or of a first step over one window, with different banks are
        a subtraction away from one bank.
        """
        what = self.window if self.number == 0 else [self.base_model, self.window]
        return digest(canonical([self.task, self.step, what]))

    @property
    def context_tag(self) -> int:
        """Slot 1 of every plaintext: sums of another task, round, model or key show."""
        return context_tag(self.task, self.round, self.base_model, self.key_id)

    def proof_context(self, bank: str) -> bytes:
        """What ``bank``'s proof of plaintext knowledge is bound to."""
        return _context("popk", self.task, self.hash(), bank)


def starting_point(seed: str, model: Json) -> str:
    """The base model of a run's first round: nothing but a public seed and a specification."""
    return digest(canonical(["starting-point", seed, model]))


@dataclass(frozen=True)
class SubmissionHeader(Message):
    """Signed by the bank; the upload is ``frame(signed header, ciphertexts, proof)``.

    Of a masked sum: the masked words in place of ciphertexts, the roll of mask keys as the proof.

    ``ciphertexts`` is the SHA-256 of the fixed-width big-endian ciphertexts, ``proof`` that of the
    proof of plaintext knowledge under ``Manifest.proof_context(bank)``.
    """

    kind = "submission"

    task: Identifier
    round: Identifier
    bank: Identifier
    manifest: Digest
    ciphertexts: Digest
    proof: Digest


@dataclass(frozen=True)
class Receipt(Message):
    """The centre's promise, signed: ``submission`` is in the log at ``log_index``.

    ``entry`` is the hash of that log entry, ``submission`` the hash of the signed header.
    """

    kind = "receipt"

    task: Identifier
    round: Identifier
    bank: Identifier
    submission: Digest
    log_index: Count
    entry: Digest
    received_at: Seconds


@dataclass(frozen=True)
class Contribution(Record):
    """One line of a freeze list: a bank and the hash of the submission header it signed."""

    bank: Identifier
    submission: Digest


@dataclass(frozen=True)
class FreezeProposal(Message):
    """Whose submissions are summed; signed by the centre. ``contributions`` ordered by bank."""

    kind = "freeze"

    task: Identifier
    round: Identifier
    manifest: Digest
    subject: Digest
    contributions: tuple[Contribution, ...]

    @property
    def banks(self) -> tuple[str, ...]:
        return tuple(contribution.bank for contribution in self.contributions)


@dataclass(frozen=True)
class FreezeSignature(Message):
    """A bank's word that it signs this list for ``subject``, and no other one."""

    kind = "freeze-signature"

    task: Identifier
    round: Identifier
    subject: Digest
    proposal: Digest


@dataclass(frozen=True)
class FreezeCertificate(Record):
    """A list with a quorum of ``FreezeSignature``s: nothing is released without it."""

    proposal: FreezeProposal
    signatures: tuple[Signed, ...]


@dataclass(frozen=True)
class Box(Record):
    """SHA-256 of the box sealed to one bank."""

    bank: Identifier
    box: Digest


@dataclass(frozen=True)
class PartialHeader(Message):
    """Signed by a custodian; the upload is ``frame(signed header, box, box, …)``.

    The payload (``frame({}, partials, proof)``, or the released shares of a masked sum) is the same
    for every recipient: ``payload`` is its SHA-256, so a custodian that tells two banks two things
    is found out. It is sealed to each bank of the roster under ``payload_context(recipient)``;
    ``boxes`` (ordered by bank) lists the sealed bytes in the order of the frame. ``aggregate`` is
    the SHA-256 of the closed sum that the custodian added itself.
    """

    kind = "partial"

    task: Identifier
    round: Identifier
    bank: Identifier
    index: Positive
    proposal: Digest
    aggregate: Digest
    payload: Digest
    boxes: tuple[Box, ...]

    def payload_context(self, recipient: str) -> bytes:
        return payload_context(self.task, self.proposal, self.bank, recipient)


def payload_context(task: str, proposal: str, custodian: str, recipient: str) -> bytes:
    """What a custodian's payload is sealed under, for one recipient."""
    return _context("partial", task, proposal, custodian, recipient)


def partials_context(proposal: str, custodian: str) -> bytes:
    """What a custodian's proof of correct partial decryption is bound to."""
    return _context("chaum-pedersen", proposal, custodian)


@dataclass(frozen=True)
class DerivedResult(Message):
    """What a bank derived from the opened sum.

    ``result`` is the SHA-256 of the bytes that every bank must derive alike: the run's next state
    or its candidate, ``values_digest(values)`` for published statistics. ``next`` is the step that
    follows from it, None once there is a candidate. ``values`` is the opened sum itself where it
    is published (metrics rounds), else None.
    """

    kind = "derived"

    task: Identifier
    round: Identifier
    bank: Identifier
    proposal: Digest
    result: Digest
    next: Step | None
    values: tuple[Count, ...] | None

    def invariants(self) -> None:
        if self.values is not None and self.next is not None:
            raise ProtocolRefused("bad_derived", _("Nothing follows a published sum."))
        if self.values is not None and values_digest(self.values) != self.result:
            raise ProtocolRefused(
                "bad_derived", _("The result is not the digest of the published values.")
            )


def values_digest(values: tuple[int, ...]) -> str:
    """The result of a round whose sum is published."""
    return digest(canonical(list(values)))


@dataclass(frozen=True)
class ModelVote(Message):
    """A bank's verdict on a candidate, tested on its own held-back window. It carries no counts."""

    kind = "vote"

    task: Identifier
    run: Identifier
    bank: Identifier
    model: Digest
    accept: bool
    reason: Text


@dataclass(frozen=True)
class TermsVote(Message):
    """A bank's word on the terms of a task (``terms``: the SHA-256 of its canonical recipe)."""

    kind = "terms-vote"

    task: Identifier
    bank: Identifier
    terms: Digest
    accept: bool


def _context(*parts: str) -> bytes:
    return canonical(["consortium", *parts])
