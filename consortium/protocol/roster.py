"""Who is a member, decided by the members.

Version 1 is signed by every founder, each later version by a majority of the banks of the one
before. An operator alone can therefore enrol nobody, which is what keeps a coordinator from
inventing enough banks to open everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consortium.protocol.envelope import Signed, SigningKey, VerifyKey, sign, verify
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.wire import Digest, Identifier, KeyText, Message, Name, Positive, Record

SMALLEST_CONSORTIUM = 3
"""With two banks each reads the other by subtraction."""


@dataclass(frozen=True)
class Numbers:
    """The sizes that follow from the number of member banks.

    ``threshold`` custodians open a sum; ``colluders`` = threshold - 1 may work together and learn
    nothing; ``quorum`` freeze signatures make a certificate, so many that two certificates share
    an honest bank; ``minimum_cohort`` contributors leave colluders with a sum of two others.
    """

    banks: int
    threshold: int
    colluders: int
    quorum: int
    minimum_cohort: int

    @classmethod
    def of(cls, banks: int) -> Numbers:
        threshold = banks // 2 + 1
        colluders = threshold - 1
        quorum = (banks + colluders) // 2 + 1
        return cls(banks, threshold, colluders, quorum, max(3, colluders + 2))


@dataclass(frozen=True)
class RosterMember(Record):
    """A bank with the public keys it made on its own side."""

    bank: Identifier
    name: Name
    signing_key: KeyText
    sealing_key: KeyText


@dataclass(frozen=True)
class Roster(Message):
    """One version of a task's members. ``previous`` is the hash of the version before.

    ``coordinator_key`` is the Ed25519 key that members accept the centre's signatures from.
    ``members`` are ordered by bank.
    """

    kind = "roster"

    task: Identifier
    version: Positive
    previous: Digest | None
    coordinator_key: KeyText
    members: tuple[RosterMember, ...]

    def invariants(self) -> None:
        if (self.version == 1) is not (self.previous is None):
            raise _bad_roster(_("Only the first roster version has no previous one."))
        if len(self.members) < SMALLEST_CONSORTIUM:
            raise _bad_roster(_("A roster needs at least three banks."))
        banks = [member.bank for member in self.members]
        if banks != sorted(set(banks)):
            raise _bad_roster(_("A roster lists every bank once, in order."))
        for keys in (
            {m.signing_key for m in self.members} | {self.coordinator_key},
            {m.sealing_key for m in self.members} | {""},
        ):
            if len(keys) != len(self.members) + 1:
                raise _bad_roster(_("Two parties of the roster have the same key."))

    @property
    def banks(self) -> tuple[str, ...]:
        return tuple(member.bank for member in self.members)

    @property
    def numbers(self) -> Numbers:
        return Numbers.of(len(self.members))

    def member(self, bank: str) -> RosterMember:
        for member in self.members:
            if member.bank == bank:
                return member
        raise ProtocolRefused(
            "not_a_member",
            _("Bank %(bank)s is not in roster version %(version)s."),
            bank=bank,
            version=self.version,
        )

    def verify_key(self, bank: str) -> VerifyKey:
        return VerifyKey(self.member(bank).signing_key)


@dataclass(frozen=True)
class RosterSignature(Message):
    """A member's agreement to a roster version (given by the members of the one before)."""

    kind = "roster-signature"

    task: Identifier
    version: Positive
    roster: Digest


@dataclass(frozen=True)
class SignedRoster(Record):
    """A roster with the signatures (of ``RosterSignature``) that make it valid."""

    roster: Roster
    signatures: tuple[Signed, ...]


def sign_roster(roster: Roster, *, bank: str, key: SigningKey) -> Signed:
    """``bank``'s signature under ``roster``."""
    message = RosterSignature(roster.task, roster.version, roster.hash())
    return sign(message, signer=bank, key=key)


def check_roster_signature(roster: Roster, previous: Roster | None, signature: Signed) -> None:
    """Refuse a signature that is not valid, or not by a bank that has a say in this version."""
    key = (previous or roster).verify_key(signature.signer)
    message = verify(signature, RosterSignature, key)
    if message != RosterSignature(roster.task, roster.version, roster.hash()):
        raise _bad_roster(_("The signature belongs to another roster."))


def signatures_needed(roster: Roster, previous: Roster | None) -> int:
    """All founders for the first version, a majority of the previous banks for each later one."""
    return len(previous.members) // 2 + 1 if previous else len(roster.members)


def verify_roster_chain(chain: Sequence[SignedRoster]) -> Roster:
    """The newest roster of a whole chain from version 1; ``ProtocolRefused`` names what breaks."""
    previous: Roster | None = None
    for position, signed in enumerate(chain, start=1):
        check_successor(signed, previous)
        if signed.roster.version != position:
            raise _bad_roster(_("The chain of rosters has a gap."))
        previous = signed.roster
    if previous is None:
        raise _bad_roster(_("There is no roster yet."))
    return previous


def check_successor(signed: SignedRoster, previous: Roster | None) -> None:
    """Refuse a roster that does not follow ``previous`` or lacks its members' signatures."""
    roster = signed.roster
    follows = (
        roster.task == previous.task
        and roster.version == previous.version + 1
        and roster.previous == previous.hash()
        if previous
        else roster.version == 1
    )
    if not follows:
        raise _bad_roster(_("The roster does not follow the version before it."))
    for signature in signed.signatures:
        check_roster_signature(roster, previous, signature)
    signers = {signature.signer for signature in signed.signatures}
    needed = signatures_needed(roster, previous)
    if len(signers) < needed:
        raise ProtocolRefused(
            "roster_unsigned",
            _("Roster version %(version)s has %(signed)s of %(needed)s signatures it needs."),
            version=roster.version,
            signed=len(signers),
            needed=needed,
        )


def _bad_roster(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_roster", sentence)
