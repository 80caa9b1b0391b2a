"""A masked sum as a round: who advertised, which list of them everybody masks under.

Masks cancel, and hide, only if all masked under one *roll* of advertisements: shown two rolls, two
banks could be played against each other. So the roll travels in every upload under the bank's
signature, and nobody gives a share towards uploads that name different ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from consortium.protocol.envelope import (
    COORDINATOR,
    Signed,
    VerifyKey,
    canonical,
    digest,
    parse,
    verify,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.roster import Roster
from consortium.protocol.secagg_messages import Advertisement, Session, WordLayout
from consortium.protocol.spec import Box, Manifest
from consortium.protocol.wire import Digest, Identifier, Message, Record


@dataclass(frozen=True)
class MaskAdvertisement(Message):
    """Signed by its bank; the upload is ``frame(signed advertisement, box, box, …)``.

    A box for each member of the manifest, in its order: the shares for that holder, sealed under
    ``share_context``.
    """

    kind = "mask-advertisement"

    task: Identifier
    round: Identifier
    manifest: Digest
    advertisement: Advertisement
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class RollEntry(Record):
    """A bank and the hash of the advertisement it signed."""

    bank: Identifier
    advertisement: Digest


@dataclass(frozen=True)
class MaskRoll(Message):
    """Whose advertisements a round's vectors are masked under; signed by the centre."""

    kind = "mask-roll"

    task: Identifier
    round: Identifier
    manifest: Digest
    entries: tuple[RollEntry, ...]

    @property
    def banks(self) -> tuple[str, ...]:
        return tuple(entry.bank for entry in self.entries)


def session_of(manifest: Manifest) -> Session:
    """The masked sum that a manifest asks for; the quorum of its roster holds its shares."""
    return Session(
        task=manifest.task,
        round=manifest.round,
        members=manifest.members,
        threshold=manifest.quorum,
        words=cast(WordLayout, manifest.layout),
        length=manifest.length,
    )


def smallest_roll(manifest: Manifest) -> int:
    """How many must advertise: the cohort, and as many as give shares later."""
    return max(manifest.minimum_cohort, manifest.quorum)


def share_context(task: str, round_: str, owner: str, holder: str) -> bytes:
    """What a holder's two shares are sealed under."""
    return canonical(["consortium", "mask-shares", task, round_, owner, holder])


def check_advertisement(signed: Signed, *, manifest: Manifest, roster: Roster) -> MaskAdvertisement:
    """The advertisement in ``signed`` if its bank made it for this round."""
    if signed.signer not in manifest.members:
        raise ProtocolRefused(
            "not_a_member", _("Bank %(bank)s may not take part in this round."), bank=signed.signer
        )
    found = verify(signed, MaskAdvertisement, roster.verify_key(signed.signer))
    if found.advertisement.owner != signed.signer:
        raise _bad(_("The mask keys are signed by another bank than they name."))
    if (found.task, found.round, found.manifest) != (
        manifest.task,
        manifest.round,
        manifest.hash(),
    ):
        raise ProtocolRefused("other_round", _("The mask keys were made for another round."))
    holders = tuple(share.holder for share in found.advertisement.shares)
    if (holders, tuple(box.bank for box in found.boxes)) != (manifest.members, manifest.members):
        raise _bad(_("There must be one sealed pair of shares for each member of the round."))
    return found


def check_roll(signed: Signed, *, manifest: Manifest, roster: Roster) -> MaskRoll:
    """The roll in ``signed`` if the centre made it for this round and it is large enough."""
    if signed.signer != COORDINATOR:
        raise ProtocolRefused("bad_signature", _("The message must be signed by the centre."))
    roll = verify(signed, MaskRoll, VerifyKey(roster.coordinator_key))
    if (roll.task, roll.round, roll.manifest) != (manifest.task, manifest.round, manifest.hash()):
        raise ProtocolRefused("other_round", _("The roll of mask keys belongs to another round."))
    if list(roll.banks) != sorted(set(roll.banks)) or not set(roll.banks) <= set(manifest.members):
        raise _bad(_("A roll lists members of the round, each once and in order."))
    if len(roll.banks) < smallest_roll(manifest):
        raise ProtocolRefused(
            "cohort_too_small",
            _("The roll has %(listed)s banks; masks need at least %(needed)s."),
            listed=len(roll.banks),
            needed=smallest_roll(manifest),
        )
    return roll


def check_listed(
    roll: MaskRoll, found: Iterable[MaskAdvertisement]
) -> Mapping[str, MaskAdvertisement]:
    """The roll's advertisements by bank; refused unless they are exactly those that it lists."""
    served = {item.advertisement.owner: item for item in found}
    if {entry.bank: entry.advertisement for entry in roll.entries} != {
        bank: item.hash() for bank, item in served.items()
    }:
        raise _bad(_("The mask keys served are not those of the roll."))
    return served


def check_one_roll(
    proofs: Iterable[bytes], *, manifest: Manifest, roster: Roster, own: str | None
) -> Signed:
    """The roll that all listed uploads were masked under.

    ``proofs`` are the second parts of the uploads, ``own`` the digest of this bank's (None if it
    did not mask). Refused when two of them differ: a bank would be masked against less than it saw.
    """
    different = set(proofs)
    if len(different) != 1:
        raise ProtocolRefused(
            "two_rolls", _("The uploads were masked under different rolls of mask keys.")
        )
    text = different.pop()
    if own is not None and digest(text) != own:
        raise ProtocolRefused(
            "two_rolls", _("This bank masked under another roll than the listed banks.")
        )
    signed = Signed.from_wire(parse(text))
    check_roll(signed, manifest=manifest, roster=roster)
    return signed


def roll_bytes(signed: Signed) -> bytes:
    """How a roll stands in an upload."""
    return canonical(signed.to_wire())


def _bad(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("bad_advertisement", sentence)
