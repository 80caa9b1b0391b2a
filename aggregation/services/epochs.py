"""Keeping the public side of a key ceremony, and each bank's share in its closed box."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from aggregation.models import EpochSignature, KeyEpoch, RosterVersion, SealedShare, Task
from aggregation.models.tasks import TrainingRun
from aggregation.refusals import Contradicts
from aggregation.services import ledger
from aggregation.services.protocols import protocol_named
from aggregation.services.rosters import active_roster
from consortium.accounts import audit
from consortium.accounts.actors import Actor, node, system
from consortium.accounts.models import Bank
from consortium.protocol.custody import WITNESSES, check_epoch_proposal, check_epoch_word
from consortium.protocol.envelope import Signed, digest
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Epoch

State = KeyEpoch.State


@transaction.atomic
def publish_epoch(
    *,
    bank: Bank,
    task: Task,
    signed: Signed,
    biprimality: bytes,
    shares: Mapping[str, bytes],
) -> KeyEpoch:
    """Keep the key that ``bank`` dealt; it is used once two other members have witnessed it."""
    epoch = Epoch.from_wire(signed.body)
    row = _require_active(task)
    roster = Roster.from_wire(row.body)
    if signed.signer != str(bank.pk):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    check_epoch_proposal(epoch, signed, roster=roster)
    modulus = _checked(task, epoch)
    if {custodian.bank: custodian.share for custodian in epoch.custodians} != {
        name: digest(box) for name, box in shares.items()
    }:
        raise Refused(
            "bad_shares", gettext_noop("The sealed shares are not those that the key names.")
        )
    known = KeyEpoch.objects.filter(pk=epoch.epoch).first()
    if known and known.body == epoch.body():
        return known
    if known or KeyEpoch.objects.filter(roster=row).exclude(state=State.RETIRED).exists():
        raise Contradicts("key_exists", gettext_noop("There is a key for this roster already."))
    made = KeyEpoch.objects.create(
        id=epoch.epoch,
        task=task,
        roster=row,
        body=epoch.body(),
        key_id=epoch.key_id,
        key_bits=epoch.key_bits,
        modulus=modulus,
        biprimality=biprimality,
        dealer=bank,
    )
    EpochSignature.objects.create(epoch=made, bank=bank, signed=signed.to_wire())
    SealedShare.objects.bulk_create(
        SealedShare(epoch=made, bank_id=name, box=box) for name, box in shares.items()
    )
    audit.record(actor=node(bank), verb="key.published", target=made, key_id=made.key_id)
    return made


@transaction.atomic
def witness_epoch(*, bank: Bank, epoch: KeyEpoch, signed: Signed) -> KeyEpoch:
    """Keep a witness's word; the second one makes the key usable."""
    row = KeyEpoch.objects.select_for_update(of=("self",)).select_related("roster").get(pk=epoch.pk)
    if signed.signer != str(bank.pk):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    check_epoch_word(signed, Epoch.from_wire(row.body), Roster.from_wire(row.roster.body))
    _word, new = EpochSignature.objects.get_or_create(
        epoch=row, bank=bank, defaults={"signed": signed.to_wire()}
    )
    if new and row.signatures.count() > WITNESSES:
        changed = KeyEpoch.objects.filter(pk=row.pk, state=State.PROPOSED).update(
            state=State.ACTIVE, active_at=timezone.now()
        )
        if changed:
            facts = {"task": str(row.task_id), "epoch": str(row.pk), "key_id": row.key_id}
            ledger.append(event="key", facts=facts)
    if new:
        audit.record(actor=node(bank), verb="key.witnessed", target=row, key_id=row.key_id)
    row.refresh_from_db()
    return row


@transaction.atomic
def discard_epoch(*, actor: Actor, epoch: KeyEpoch) -> None:
    """Drop a key that its witnesses did not sign, so that another ceremony can be held."""
    discarded = KeyEpoch.objects.filter(pk=epoch.pk, state=State.PROPOSED).update(
        state=State.RETIRED, retired_at=timezone.now()
    )
    if discarded != 1:
        raise Contradicts("key_in_use", gettext_noop("The key is witnessed or retired already."))
    SealedShare.objects.filter(epoch=epoch).update(box=b"")
    audit.record(actor=actor, verb="key.discarded", target=epoch)


@transaction.atomic
def rotate_epoch(*, actor: Actor, epoch: KeyEpoch) -> None:
    """Retire a key in use, so that its members make a new one; no run may be using it."""
    Task.objects.select_for_update().get(pk=epoch.task_id)
    if epoch.runs.filter(state=TrainingRun.State.RUNNING).exists():
        raise Contradicts(
            "key_in_use", gettext_noop("A run is using the key. Wait for its end, or stop it.")
        )
    retired = KeyEpoch.objects.filter(pk=epoch.pk, state=State.ACTIVE).update(
        state=State.RETIRED, retired_at=timezone.now()
    )
    if retired != 1:
        raise Contradicts("key_not_active", gettext_noop("The key is not in use."))
    SealedShare.objects.filter(epoch=epoch).update(box=b"")
    facts = {"task": str(epoch.task_id), "epoch": str(epoch.pk), "key_id": epoch.key_id}
    ledger.append(event="key-retired", facts=facts)
    audit.record(actor=actor, verb="key.rotated", target=epoch, key_id=epoch.key_id)


@transaction.atomic
def retire_epochs() -> int:
    """Empty the boxes of keys whose roster was superseded, once no run uses them any more."""
    stale = KeyEpoch.objects.filter(roster__state=RosterVersion.State.SUPERSEDED).exclude(
        state=State.RETIRED
    )
    retired = 0
    for epoch in stale.exclude(runs__state=TrainingRun.State.RUNNING):
        if KeyEpoch.objects.filter(pk=epoch.pk, state=epoch.state).update(
            state=State.RETIRED, retired_at=timezone.now()
        ):
            SealedShare.objects.filter(epoch=epoch).update(box=b"")
            audit.record(actor=system("keys"), verb="key.retired", target=epoch)
            retired += 1
    return retired


def usable_epoch(roster: RosterVersion) -> KeyEpoch:
    """The roster's key, or Refused with what is missing."""
    epoch = KeyEpoch.objects.filter(roster=roster, state=State.ACTIVE).first()
    if epoch is None:
        raise Refused(
            "no_key",
            gettext_noop(
                "The members of roster version %(version)s have no key yet: "
                "one of them must hold the key ceremony, two others witness it."
            ),
            version=roster.version,
        )
    return epoch


def _require_active(task: Task) -> RosterVersion:
    row = active_roster(task)
    if row is None:
        raise Refused("no_roster", gettext_noop("The task has no roster that its members signed."))
    return row


def _checked(task: Task, epoch: Epoch) -> bytes:
    """What uploads are checked against, if the key is one for the task's protocol."""
    if epoch.protocol != task.protocol:
        raise ProtocolRefused(
            "bad_epoch",
            gettext_noop("The task's sums are closed by %(protocol)s; the key is for another."),
            protocol=task.protocol,
        )
    return protocol_named(task.protocol).modulus(epoch)
