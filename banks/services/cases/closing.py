"""How a case ends: its owner proposes an outcome, a second person approves, or sends it back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from banks.models import Alert, Case, CaseAlert, FreezeRequest
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import Kind, Status, case_of, locked, move, moved_on, required, write
from .linking import in_another_case

UNDECIDED: Final = {
    "outcome": "",
    "amount_saved": None,
    "submitted_by": None,
    "submitted_at": None,
    "decided_by": None,
    "closed_at": None,
}


@dataclass(frozen=True)
class Lack:
    """What must still be done before a case can be submitted, and how often."""

    code: str
    count: int


def lacks(case: Case) -> list[Lack]:
    """Empty where nothing is missing."""
    found = [
        Lack("typology", 0 if case.typology else 1),
        Lack("steps", case.steps.filter(done_at__isnull=True).count()),
        Lack(
            "alerts",
            case.links.exclude(alert__status=Alert.Status.DECIDED).count(),
        ),
        Lack("freezes", case.freezes.filter(status__in=FreezeRequest.AWAITED).count()),
    ]
    return [lack for lack in found if lack.count]


def submit(
    *,
    bank: Bank,
    actor: Actor,
    case_id: uuid.UUID | str,
    outcome: str,
    summary: str,
    amount_saved: int | None = None,
) -> Case:
    """Propose how the case ends; it then waits for somebody else.

    ``amount_saved`` is in minor units of the case's currency. Raises Refused while steps, alerts
    or freeze requests are open, and to who does not own the case.
    """
    if outcome not in Case.Outcome.values:
        raise Refused("no_outcome", gettext_noop("Choose how the case ends."), field="outcome")
    summary = required(
        summary, gettext_noop("Say in a few sentences what was found."), field="summary"
    )
    if amount_saved is not None and not 0 <= amount_saved < 2**62:
        raise Refused("saved_range", gettext_noop("An amount is 0 or more."), field="amount_saved")
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        if case.status != Status.IN_PROGRESS or case.owner_id != _user_id(actor):
            raise Refused(
                "not_owner", gettext_noop("Only who owns this case submits it. Take it first.")
            )
        if lacks(case):
            raise Refused(
                "not_complete",
                gettext_noop("Something is still missing; see the list on the case."),
            )
        case = move(
            bank,
            case_id,
            [Status.IN_PROGRESS],
            status=Status.WAITING,
            outcome=outcome,
            summary=summary,
            amount_saved=amount_saved,
            submitted_by=actor.user,
            submitted_at=timezone.now(),
        )
        write(
            actor,
            case,
            Kind.SUBMITTED,
            verb="case.submitted",
            text=summary,
            about={"outcome": outcome},
        )
    return case


def withdraw(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str) -> Case:
    """Who submitted it takes it back to work on."""
    with bank_scope(bank.pk):
        own = Q(submitted_by=actor.user)
        case = _back_to_work(bank, case_id, own)
        write(actor, case, Kind.WITHDRAWN, verb="case.withdrawn")
    return case


def approve(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, note: str = "") -> Case:
    """The second person agrees: the case is closed and its alerts are free again.

    Raises Refused to whoever submitted it, whatever else they may do.
    """
    note = note.strip()[:2000]
    with bank_scope(bank.pk):
        case = case_of(bank, case_id)
        if case.submitted_by_id == _user_id(actor):
            raise Refused(
                "own_case",
                gettext_noop("You submitted this case, so another person must approve it."),
            )
        case = move(
            bank,
            case_id,
            [Status.WAITING],
            status=Status.CLOSED,
            decided_by=actor.user,
            closed_at=timezone.now(),
        )
        CaseAlert.objects.filter(case=case).update(holding=False)
        write(
            actor,
            case,
            Kind.CLOSED,
            verb="case.closed",
            text=note,
            about={"outcome": case.outcome},
        )
    return case


def send_back(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, reason: str) -> Case:
    """The second person does not agree, and says why; the owner works on."""
    reason = required(
        reason, gettext_noop("Say why it goes back, so that its owner knows."), field="reason"
    )
    with bank_scope(bank.pk):
        case = _back_to_work(bank, case_id, Q())
        write(actor, case, Kind.RETURNED, verb="case.returned", text=reason)
    return case


def reopen(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, reason: str) -> Case:
    """A closed case goes on, with its alerts, where none is in another case by now."""
    reason = required(reason, gettext_noop("Say why the case is reopened."), field="reason")
    with bank_scope(bank.pk):
        case = move(bank, case_id, [Status.CLOSED], status=Status.IN_PROGRESS, **UNDECIDED)
        for held in case.links.select_related("alert__transaction"):
            try:
                with transaction.atomic():
                    CaseAlert.objects.filter(pk=held.pk).update(holding=True)
            except IntegrityError as error:
                raise in_another_case(held.alert) from error
        write(actor, case, Kind.REOPENED, verb="case.reopened", text=reason)
    return case


def _back_to_work(bank: Bank, case_id: uuid.UUID | str, condition: Q) -> Case:
    moved = Case.objects.filter(condition, pk=case_id, bank=bank, status=Status.WAITING).update(
        status=Status.IN_PROGRESS, **UNDECIDED
    )
    case = case_of(bank, case_id)
    if moved:
        return case
    if case.status == Status.WAITING:
        raise Refused("not_yours", gettext_noop("Only who submitted this case withdraws it."))
    raise moved_on(case)


def _user_id(actor: Actor) -> object:
    return actor.user.pk if actor.user else None
