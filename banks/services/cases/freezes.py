"""Freeze requests: written, submitted, approved by a second person, carried out, lifted.

A record with four eyes. Nothing here stops an account: people do, in the bank's core system.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from banks.models import Case, FreezeRequest
from banks.services.alerts.history import SomebodyWasFirst, checked_text
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import Kind, locked, required, write

Status = FreezeRequest.Status
Requester = FreezeRequest.Requester
CLOCKS_DIFFER: Final = timedelta(minutes=5)
NEEDS_A_REFERENCE: Final = (
    Requester.POLICE,
    Requester.LAWYER,
    Requester.CONSUMER_CENTRE,
    Requester.OTHER_BANK,
)
LABELS: Final = {
    "account": gettext_noop("account"),
    "requester": gettext_noop("who asks for it"),
    "reference": gettext_noop("reference number"),
    "received_at": gettext_noop("received"),
    "reason": gettext_noop("reason"),
}


class Incomplete(Refused):
    """A request that lacks something; ``missing`` names the fields."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            "freeze_incomplete",
            gettext_noop("The request is not complete. Fill in what is marked, then submit it."),
        )
        self.missing = missing


def missing(freeze: FreezeRequest) -> list[str]:
    """The fields without which a request cannot be submitted."""
    needed = ["account", "received_at", "reason"]
    if freeze.requester in NEEDS_A_REFERENCE:
        needed.append("reference")
    return [name for name in needed if not getattr(freeze, name)]


def draft(
    *,
    bank: Bank,
    actor: Actor,
    case_id: uuid.UUID | str,
    account: str = "",
    requester: str = Requester.OWN,
    reference: str = "",
    received_at: datetime | None = None,
    reason: str = "",
) -> FreezeRequest:
    """Begin a request within a case; it may stay incomplete until it is submitted."""
    facts = _checked(requester, reference, received_at, reason)
    with bank_scope(bank.pk):
        case = locked(bank, case_id, Case.UNDER_WAY)
        freeze = FreezeRequest(
            bank=bank,
            case=case,
            account=account.strip()[:80] or case.account,
            currency=case.currency,
            drafted_by=actor.user,
            **facts,
        )
        _save_alone(freeze)
        _write(actor, freeze, verb="freeze.drafted")
    return freeze


def revise(
    *,
    bank: Bank,
    actor: Actor,
    freeze_id: uuid.UUID | str,
    account: str,
    requester: str,
    reference: str = "",
    received_at: datetime | None = None,
    reason: str = "",
) -> FreezeRequest:
    """Change a draft, or one that came back; who writes last has written it."""
    facts = _checked(requester, reference, received_at, reason)
    try:
        with bank_scope(bank.pk):
            freeze = _move(
                bank,
                freeze_id,
                FreezeRequest.EDITABLE,
                account=account.strip()[:80],
                drafted_by=actor.user,
                drafted_at=timezone.now(),
                **facts,
            )
            _write(actor, freeze, verb="freeze.revised")
    except IntegrityError as error:
        raise _another_under_way() from error
    return freeze


def submit(*, bank: Bank, actor: Actor, freeze_id: uuid.UUID | str) -> FreezeRequest:
    """Ask the second person. Raises Incomplete while something is missing."""
    with bank_scope(bank.pk):
        lacking = missing(freeze_of(bank, freeze_id))
        if lacking:
            raise Incomplete(lacking)
        freeze = _move(
            bank,
            freeze_id,
            FreezeRequest.EDITABLE,
            status=Status.SUBMITTED,
            submitted_by=actor.user,
            submitted_at=timezone.now(),
            decided_by=None,
            decided_at=None,
            decision_note="",
        )
        _write(actor, freeze, verb="freeze.submitted")
    return freeze


def approve(
    *, bank: Bank, actor: Actor, freeze_id: uuid.UUID | str, note: str = ""
) -> FreezeRequest:
    """The second person agrees. Refused to who wrote or submitted it, whatever their rights."""
    note = checked_text(note)
    with bank_scope(bank.pk):
        own = freeze_of(bank, freeze_id)
        if actor.user and actor.user.pk in {own.drafted_by_id, own.submitted_by_id}:
            raise Refused(
                "own_freeze",
                gettext_noop("You wrote this request, so another person must approve it."),
            )
        freeze = _decide(bank, freeze_id, actor, Status.APPROVED, note)
        _write(actor, freeze, verb="freeze.approved", text=note)
    return freeze


def send_back(*, bank: Bank, actor: Actor, freeze_id: uuid.UUID | str, note: str) -> FreezeRequest:
    """The second person does not agree, and says why; it can be changed and submitted again."""
    note = required(
        note, gettext_noop("Say why it goes back, so that its author knows."), field="note"
    )
    with bank_scope(bank.pk):
        freeze = _decide(bank, freeze_id, actor, Status.RETURNED, note)
        _write(actor, freeze, verb="freeze.returned", text=note)
    return freeze


def carry_out(
    *,
    bank: Bank,
    actor: Actor,
    freeze_id: uuid.UUID | str,
    carried_out_at: datetime | None,
    balance: int | None,
    reply: str = "",
) -> FreezeRequest:
    """Write down that the account was stopped: when, with what balance (minor units)."""
    reply = checked_text(reply, field="reply")
    if balance is None or not abs(balance) < 2**62:
        raise Refused(
            "balance_required",
            gettext_noop("Give the balance at the moment of the freeze."),
            field="balance",
        )
    with bank_scope(bank.pk):
        _require_time(freeze_of(bank, freeze_id), carried_out_at)
        freeze = _move(
            bank,
            freeze_id,
            [Status.APPROVED],
            status=Status.CARRIED_OUT,
            carried_out_by=actor.user,
            carried_out_at=carried_out_at,
            balance=balance,
            reply=reply,
        )
        _write(actor, freeze, verb="freeze.carried_out", text=reply)
    return freeze


def lift(*, bank: Bank, actor: Actor, freeze_id: uuid.UUID | str, reason: str) -> FreezeRequest:
    """Write down that the account is free again, and why."""
    reason = required(reason, gettext_noop("Say why the freeze is lifted."), field="reason")
    with bank_scope(bank.pk):
        freeze = _move(
            bank,
            freeze_id,
            [Status.CARRIED_OUT],
            status=Status.LIFTED,
            lifted_by=actor.user,
            lifted_at=timezone.now(),
            lift_reason=reason,
        )
        _write(actor, freeze, verb="freeze.lifted", text=reason)
    return freeze


def freeze_of(bank: Bank, freeze_id: uuid.UUID | str) -> FreezeRequest:
    """The request with its people; refused where there is none."""
    found = (
        FreezeRequest.objects.select_related("case", "drafted_by", "submitted_by", "decided_by")
        .filter(bank=bank, pk=freeze_id)
        .first()
    )
    if found is None:
        raise Refused("no_freeze", gettext_noop("There is no such freeze request."))
    return found


def _checked(
    requester: str, reference: str, received_at: datetime | None, reason: str
) -> dict[str, Any]:
    if requester not in Requester.values:
        raise Refused(
            "no_requester", gettext_noop("Choose who asks for the freeze."), field="requester"
        )
    if received_at is not None and received_at > timezone.now() + CLOCKS_DIFFER:
        raise Refused(
            "in_the_future", gettext_noop("This time is still to come."), field="received_at"
        )
    return {
        "requester": requester,
        "reference": reference.strip()[:80],
        "received_at": received_at,
        "reason": checked_text(reason, field="reason"),
    }


def _require_time(freeze: FreezeRequest, moment: datetime | None) -> None:
    if moment is None:
        raise Refused(
            "time_required", gettext_noop("Say when it was carried out."), field="carried_out_at"
        )
    if moment > timezone.now() + CLOCKS_DIFFER:
        raise Refused(
            "in_the_future", gettext_noop("This time is still to come."), field="carried_out_at"
        )
    if freeze.received_at and moment < freeze.received_at:
        raise Refused(
            "before_received",
            gettext_noop("It cannot have been carried out before the request was received."),
            field="carried_out_at",
        )


def _decide(
    bank: Bank, freeze_id: uuid.UUID | str, actor: Actor, status: str, note: str
) -> FreezeRequest:
    return _move(
        bank,
        freeze_id,
        [Status.SUBMITTED],
        status=status,
        decided_by=actor.user,
        decided_at=timezone.now(),
        decision_note=note,
    )


def _move(
    bank: Bank, freeze_id: uuid.UUID | str, allowed: Collection[str], **changes: Any
) -> FreezeRequest:
    moved = FreezeRequest.objects.filter(pk=freeze_id, bank=bank, status__in=allowed).update(
        **changes
    )
    freeze = freeze_of(bank, freeze_id)
    if not moved:
        raise SomebodyWasFirst(
            "freeze_moved",
            gettext_noop("The request has gone on in the meantime. Look at it as it is now."),
        )
    return freeze


def _save_alone(freeze: FreezeRequest) -> None:
    try:
        with transaction.atomic():
            freeze.save(force_insert=True)
    except IntegrityError as error:
        raise _another_under_way() from error


def _another_under_way() -> Refused:
    return Refused(
        "freeze_under_way",
        gettext_noop("This case has a request for this account under way already."),
        field="account",
    )


def _write(actor: Actor, freeze: FreezeRequest, *, verb: str, text: str = "") -> None:
    about = {"freeze": str(freeze.pk), "status": freeze.status}
    write(actor, freeze.case, Kind.FREEZE, verb=verb, text=text, about=about)
