"""What every act on a case shares: the case itself, its line of history, changes that may lose."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import Q

from banks.models import Case, CaseEvent
from banks.services.alerts.history import SomebodyWasFirst, checked_text
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused, gettext_noop

Status = Case.Status
Kind = CaseEvent.Kind
WORKABLE = (Status.OPEN, Status.IN_PROGRESS)


def case_of(bank: Bank, case_id: uuid.UUID | str) -> Case:
    """The case with its people; refused where there is none."""
    found = (
        Case.objects.select_related("owner", "submitted_by", "decided_by")
        .filter(bank=bank, pk=case_id)
        .first()
    )
    if found is None:
        raise Refused("no_case", gettext_noop("There is no such case."))
    return found


def write(
    actor: Actor,
    case: Case,
    kind: str,
    *,
    verb: str,
    text: str = "",
    about: dict[str, Any] | None = None,
    **facts: Any,
) -> CaseEvent:
    """One line of history and one of the audit trail; call inside the change itself."""
    event = CaseEvent.objects.create(
        bank_id=case.bank_id, case=case, kind=kind, user=actor.user, text=text, about=about or {}
    )
    audit.record(
        actor=actor,
        verb=verb,
        target=case,
        bank=case.bank,
        number=case.number,
        **about or {},
        **facts,
    )
    return event


def move(
    bank: Bank, case_id: uuid.UUID | str, allowed: Collection[str], *conditions: Q, **changes: Any
) -> Case:
    """Change a case that is in one of these states; SomebodyWasFirst where it no longer is."""
    moved = Case.objects.filter(*conditions, pk=case_id, bank=bank, status__in=allowed).update(
        **changes
    )
    case = case_of(bank, case_id)
    if not moved:
        raise moved_on(case)
    return case


def locked(bank: Bank, case_id: uuid.UUID | str, allowed: Collection[str] = WORKABLE) -> Case:
    """A case in one of these states, held until the transaction ends."""
    held = Case.objects.select_for_update().filter(bank=bank, pk=case_id, status__in=allowed)
    found = held.first()
    if found is None:
        raise moved_on(case_of(bank, case_id))
    return found


def moved_on(case: Case) -> Refused:
    """The case has gone on in the meantime: what it is now."""
    if case.status == Status.CLOSED:
        return SomebodyWasFirst(
            "case_closed", gettext_noop("The case is closed. Reopen it to change something.")
        )
    if case.status == Status.WAITING:
        return SomebodyWasFirst(
            "case_waiting",
            gettext_noop("The case waits for approval. Withdraw it to change something."),
        )
    return SomebodyWasFirst(
        "case_moved",
        gettext_noop("The case has gone on in the meantime. Look at it as it is now."),
    )


def required(text: str, otherwise: str, *, field: str) -> str:
    """Text that must not be empty."""
    text = checked_text(text, field=field)
    if not text:
        raise Refused("required", otherwise, field=field)
    return text
