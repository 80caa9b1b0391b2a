"""Work on a case: whose it is, until when, what was checked, who was called, what was noted."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from banks.models import Case, CaseEvent, CaseStep, ContactAttempt
from banks.services.alerts.history import checked_text
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Membership, Role
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import WORKABLE, Kind, Status, locked, move, required, write
from .opening import put_steps, require_typology

WORKERS: Final = (Role.ANALYST, Role.LEAD)
LONGEST_DUE: Final = timedelta(days=366)
CLOCKS_DIFFER: Final = timedelta(minutes=5)
Outcome = ContactAttempt.Outcome


def take(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str) -> Case:
    """Make an open case one's own; a colleague's case goes over to who takes it."""
    with bank_scope(bank.pk):
        case = move(bank, case_id, WORKABLE, owner=actor.user, status=Status.IN_PROGRESS)
        write(actor, case, Kind.TAKEN, verb="case.taken")
    return case


def assign(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, owner_id: int) -> Case:
    """A lead gives a case to a colleague who may work on it."""
    with bank_scope(bank.pk):
        place = (
            Membership.objects.select_related("user")
            .filter(bank=bank, user=owner_id, role__in=WORKERS, user__is_active=True)
            .first()
        )
        if place is None:
            raise Refused(
                "no_such_colleague",
                gettext_noop("Choose an analyst or a lead of this bank."),
                field="owner",
            )
        case = move(bank, case_id, WORKABLE, owner=place.user, status=Status.IN_PROGRESS)
        write(actor, case, Kind.ASSIGNED, verb="case.assigned", about={"owner": str(place.user)})
    return case


def set_typology(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, typology: str) -> Case:
    """Say what kind of fraud it looks like; the checklist follows, done steps stay."""
    require_typology(typology)
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        case.typology = typology
        case.save(update_fields=["typology"])
        put_steps(case, typology)
        write(actor, case, Kind.TYPOLOGY, verb="case.typology_set", about={"typology": typology})
    return case


def set_due(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, due_at: datetime) -> Case:
    """Move the time by which the case should be closed."""
    now = timezone.now()
    if not now < due_at <= now + LONGEST_DUE:
        raise Refused(
            "due_range",
            gettext_noop("Choose a time in the future, at most a year away."),
            field="due_at",
        )
    with bank_scope(bank.pk):
        case = move(bank, case_id, Case.UNDER_WAY, due_at=due_at)
        write(
            actor,
            case,
            Kind.DUE,
            verb="case.due_set",
            about={"due": due_at.isoformat(timespec="minutes")},
        )
    return case


def add_note(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, text: str) -> CaseEvent:
    """A line in the case's history; also while it waits for approval."""
    text = required(text, gettext_noop("Write something first."), field="text")
    with bank_scope(bank.pk):
        case = locked(bank, case_id, Case.UNDER_WAY)
        return write(actor, case, Kind.NOTE, verb="case.noted", text=text)


def tick(
    *,
    bank: Bank,
    actor: Actor,
    case_id: uuid.UUID | str,
    code: str,
    answer: str = "done",
    note: str = "",
) -> CaseStep:
    """Answer a step of the checklist: ``done``, ``unnecessary`` (with the reason), or ``open``."""
    note = checked_text(note)
    if answer not in {"done", "unnecessary", "open"}:
        raise Refused("no_answer", gettext_noop("Say done, unnecessary or open."), field="answer")
    if answer == "unnecessary" and not note:
        raise Refused("required", gettext_noop("Say why this is unnecessary."), field="note")
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        step = CaseStep.objects.filter(bank=bank, case=case, code=code).first()
        if step is None:
            raise Refused(
                "no_step", gettext_noop("This step is not on the checklist."), field="code"
            )
        step.unnecessary = answer == "unnecessary"
        step.note = note
        step.done_by = None if answer == "open" else actor.user
        step.done_at = None if answer == "open" else timezone.now()
        step.save(update_fields=["unnecessary", "note", "done_by", "done_at"])
        write(
            actor,
            case,
            Kind.STEP,
            verb="case.step",
            text=note,
            about={"step": code, "answer": answer},
        )
    return step


def record_contact(
    *,
    bank: Bank,
    actor: Actor,
    case_id: uuid.UUID | str,
    channel: str,
    outcome: str,
    at: datetime | None = None,
    called: str = "",
    note: str = "",
) -> ContactAttempt:
    """Write down that somebody tried to reach the customer; "no answer" means not reached."""
    note = checked_text(note)
    now = timezone.now()
    if channel not in ContactAttempt.Channel.values or outcome not in Outcome.values:
        raise Refused(
            "contact_incomplete",
            gettext_noop("Say how the customer was contacted and what came of it."),
            field="channel" if channel not in ContactAttempt.Channel.values else "outcome",
        )
    if at is not None and at > now + CLOCKS_DIFFER:
        raise Refused("in_the_future", gettext_noop("This time is still to come."), field="at")
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        contact = ContactAttempt.objects.create(
            bank=bank,
            case=case,
            channel=channel,
            at=at or now,
            called=called.strip()[:80],
            reached=outcome != Outcome.NO_ANSWER,
            outcome=outcome,
            note=note,
            made_by=actor.user,
        )
        write(
            actor,
            case,
            Kind.CONTACT,
            verb="case.contact",
            about={"channel": channel, "outcome": outcome},
        )
    return contact
