"""Before a masked sum: keeping mask keys with their sealed shares, then closing their roll."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aggregation import keys
from aggregation.models import MaskAdvertisement, Round, SealedMaskShares
from aggregation.refusals import Contradicts, NotHere, TooLate
from aggregation.services import ledger, rounds
from aggregation.services.rounds import manifest_of, roster_of
from consortium.accounts import audit
from consortium.accounts.actors import node, system
from consortium.accounts.models import Bank
from consortium.protocol import masked_round
from consortium.protocol.envelope import Signed, digest, unframe
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.masked_round import MaskRoll, RollEntry
from consortium.protocol.spec import Manifest

State, Phase = Round.State, Round.Phase
BYTES_FOR_EACH = 2048
ALLOWANCE = 64 * 1024
SHARE_OF_THE_ROUND = 3
"""The roll closes without those who are away when this part of the round's time is over."""


def largest_advertisement(round_: Round) -> int:
    return len(manifest_of(round_).members) * BYTES_FOR_EACH + ALLOWANCE


@transaction.atomic
def keep_advertisement(*, bank: Bank, round_: Round, body: bytes) -> Round:
    """Keep a bank's mask keys and its boxes for the holders of shares; the last closes the roll."""
    row = rounds.locked(round_.pk)
    manifest = manifest_of(row)
    if str(bank.pk) not in manifest.members:
        raise NotHere
    known = MaskAdvertisement.objects.filter(round=row, bank=bank).first()
    if known:
        if known.body_hash != digest(body):
            raise Contradicts(
                "advertised_already",
                gettext_noop("This bank has published other mask keys for this round."),
            )
        return row
    if row.phase != Phase.ADVERTISING or row.deadline <= timezone.now():
        raise TooLate("roll_closed", gettext_noop("The round takes no more mask keys."))
    signed, boxes = _checked(row, manifest, bank, body)
    made = MaskAdvertisement.objects.create(
        round=row, bank=bank, signed=signed.to_wire(), body_hash=digest(body)
    )
    SealedMaskShares.objects.bulk_create(
        SealedMaskShares(advertisement=made, recipient_id=holder, box=box)
        for holder, box in zip(manifest.members, boxes, strict=True)
    )
    audit.record(actor=node(bank), verb="round.advertised", target=row)
    close_if_due(row)
    row.refresh_from_db()
    return row


def _checked(
    row: Round, manifest: Manifest, bank: Bank, body: bytes
) -> tuple[Signed, tuple[bytes, ...]]:
    head, boxes = unframe(body, largest_advertisement(row))
    signed = Signed.from_wire(head)
    if signed.signer != str(bank.pk):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    found = masked_round.check_advertisement(signed, manifest=manifest, roster=roster_of(row))
    if [box.box for box in found.boxes] != [digest(box) for box in boxes]:
        raise ProtocolRefused(
            "bad_boxes", gettext_noop("There must be one sealed box for each bank of the roster.")
        )
    return signed, boxes


def close_if_due(row: Round) -> bool:
    """Close the roll if everybody is in it, or enough when its time is over.

    Part of the caller's transaction, which holds the round; True where the roll is closed.
    """
    if row.phase != Phase.ADVERTISING:
        return True
    manifest = manifest_of(row)
    came = list(row.advertisements.order_by("bank_id"))
    fixed = rounds.frozen_before(row.subject)
    enough = len(fixed) if fixed else masked_round.smallest_roll(manifest)
    waiting = row.opened_at + (row.deadline - row.opened_at) / SHARE_OF_THE_ROUND
    time_is_over = timezone.now() >= max(waiting, row.opened_at + timedelta(seconds=1))
    if len(came) < len(manifest.members) and not (time_is_over and len(came) >= enough):
        return False
    entries = sorted((str(one.bank_id), _hash(one)) for one in came)
    roll = MaskRoll(
        task=manifest.task,
        round=manifest.round,
        manifest=manifest.hash(),
        entries=tuple(RollEntry(bank, advertisement) for bank, advertisement in entries),
    )
    closed = Round.objects.filter(pk=row.pk, state=State.OPEN, phase=Phase.ADVERTISING).update(
        phase=Phase.COLLECTING, roll=keys.signed(roll).to_wire()
    )
    if closed != 1:
        raise rounds.moved_on()
    row.refresh_from_db()
    facts = {"task": roll.task, "round": roll.round, "roll": roll.hash()}
    ledger.append(event="roll", facts=facts)
    audit.record(
        actor=system("rounds"), verb="round.roll_closed", target=row, members=list(roll.banks)
    )
    return True


def _hash(one: MaskAdvertisement) -> str:
    found = masked_round.MaskAdvertisement.from_wire(Signed.from_wire(one.signed).body)
    return found.hash()


def empty_boxes() -> int:
    """Forget the sealed shares of rounds that are over."""
    over = SealedMaskShares.objects.exclude(advertisement__round__state__in=rounds.LIVE)
    return over.exclude(box=b"").update(box=b"")
