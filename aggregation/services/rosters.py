"""Proposing members; the members decide (``consortium.protocol.roster``)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from aggregation import keys
from aggregation.models import RosterSignature, RosterVersion, Task
from aggregation.refusals import Contradicts, NotHere
from aggregation.services import ledger
from aggregation.services.comparing import check_compared
from aggregation.services.enrolment import MEMBERS
from consortium.accounts import audit
from consortium.accounts.actors import Actor, node
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import (
    Roster,
    RosterMember,
    check_roster_signature,
    signatures_needed,
)

State = RosterVersion.State


@transaction.atomic
def propose_roster(*, actor: Actor, task: Task, banks: Iterable[Bank]) -> RosterVersion:
    """Propose the task's next members; it becomes valid when enough members have signed."""
    Task.objects.select_for_update().get(pk=task.pk)
    if RosterVersion.objects.filter(task=task, state=State.PROPOSED).exists():
        raise Contradicts(
            "roster_pending",
            gettext_noop("Another roster of this task still waits for signatures."),
        )
    ids = {bank.pk for bank in banks}
    chosen = sorted(Bank.objects.filter(pk__in=ids), key=lambda bank: str(bank.pk))
    for bank in chosen:
        if bank.status not in MEMBERS:
            raise Refused(
                "bank_not_ready",
                gettext_noop("%(bank)s has not joined with its keys, or is suspended."),
                field="banks",
                bank=bank.name,
            )
    previous = active_roster(task)
    before = Roster.from_wire(previous.body) if previous else None
    roster = Roster(
        task=str(task.pk),
        version=before.version + 1 if before else 1,
        previous=before.hash() if before else None,
        coordinator_key=keys.verify_key().text,
        members=tuple(map(_member, chosen)),
    )
    if before and before.members == roster.members:
        raise Refused("same_members", gettext_noop("These are the members already."), field="banks")
    if before:  # founders compare with each other: every one of them signs
        known = set(before.members)
        check_compared(actor=actor, newcomers=(b for b in chosen if _member(b) not in known))
    row = RosterVersion.objects.create(
        task=task,
        version=roster.version,
        body=roster.body(),
        hash=roster.hash(),
        signatures_needed=signatures_needed(roster, before),
    )
    audit.record(actor=actor, verb="roster.proposed", target=row, banks=list(roster.banks))
    return row


@transaction.atomic
def withdraw_roster(*, actor: Actor, task: Task) -> None:
    """Take back a proposal that has not become valid, while another could still become so.

    A bank signs one roster a version: once too many have signed this one, no other can be.
    """
    Task.objects.select_for_update().get(pk=task.pk)
    proposed = RosterVersion.objects.filter(task=task, state=State.PROPOSED).first()
    if proposed and proposed.version > 1:
        before = RosterVersion.objects.get(task=task, version=proposed.version - 1)
        free = len(Roster.from_wire(before.body).banks) - proposed.signatures.count()
        if free < proposed.signatures_needed:
            raise Contradicts(
                "roster_half_signed",
                gettext_noop(
                    "So many members have signed that no other roster could become version "
                    "%(version)s. Let it become valid, then propose the next one."
                ),
                version=proposed.version,
            )
    if proposed is None or not proposed.delete()[0]:
        raise Contradicts("no_proposal", gettext_noop("No roster waits for signatures."))
    audit.record(actor=actor, verb="roster.withdrawn", target=task, version=proposed.version)


@transaction.atomic
def sign_roster(*, bank: Bank, task: Task, version: int, signed: Signed) -> RosterVersion:
    """Keep a member's signature; the one that makes the majority makes the roster valid."""
    row = (
        RosterVersion.objects.select_for_update()
        .filter(task=task, version=version)
        .exclude(state=State.SUPERSEDED)
        .first()
    )
    if row is None:
        raise NotHere
    if signed.signer != str(bank.pk):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    before = RosterVersion.objects.filter(task=task, version=version - 1).first()
    check_roster_signature(
        Roster.from_wire(row.body), Roster.from_wire(before.body) if before else None, signed
    )
    _signature, new = RosterSignature.objects.get_or_create(
        roster=row, bank=bank, defaults={"signed": signed.to_wire()}
    )
    if new:
        _activate_if_enough(row)
        audit.record(actor=node(bank), verb="roster.signed", target=row, version=version)
    return row


def _activate_if_enough(row: RosterVersion) -> None:
    if row.state != State.PROPOSED or row.signatures.count() < row.signatures_needed:
        return
    rosters = RosterVersion.objects
    rosters.filter(task=row.task, state=State.ACTIVE).update(state=State.SUPERSEDED)
    rosters.filter(pk=row.pk, state=State.PROPOSED).update(
        state=State.ACTIVE, active_at=timezone.now()
    )
    row.refresh_from_db()
    members = Roster.from_wire(row.body).banks
    Bank.objects.filter(pk__in=members, status=Bank.Status.JOINED).update(status=Bank.Status.ACTIVE)
    ledger.append(
        event="roster",
        facts={"task": str(row.task_id), "version": row.version, "roster": row.hash},
    )


def active_roster(task: Task) -> RosterVersion | None:
    return RosterVersion.objects.filter(task=task, state=State.ACTIVE).first()


def _member(bank: Bank) -> RosterMember:
    return RosterMember(
        str(bank.pk), bank.name, bytes(bank.signing_key).hex(), bytes(bank.sealing_key).hex()
    )
