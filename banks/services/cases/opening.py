"""A case begins: from alerts, or from an account that somebody named."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from banks.models import Alert, Case, CaseStep
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .checklists import TYPOLOGIES, steps_for
from .history import Kind, write
from .linking import alerts_of, attach

TIME_FOR_A_CASE: Final = timedelta(days=3)


def open_case(
    *,
    bank: Bank,
    actor: Actor,
    alert_ids: Sequence[uuid.UUID | str] = (),
    account: str = "",
    typology: str = "",
) -> Case:
    """Open a case from these alerts, or from an account alone; nobody owns it yet.

    Without a typology it is the one by which the first decided alert was closed, if any.
    Raises Refused when neither is given, when an alert is in another case under way, or when
    there is no such alert or typology.
    """
    account = account.strip()[:80]
    if not alert_ids and not account:
        raise Refused(
            "nothing_to_open",
            gettext_noop("Choose an alert, or name the account that the case is about."),
            field="account",
        )
    require_typology(typology)
    with bank_scope(bank.pk):
        alerts = alerts_of(bank, alert_ids)
        transaction = alerts[0].transaction if alerts else None
        typology = typology or _decided_typology(alerts)
        case = Case.objects.create(
            bank=bank,
            number=_next_number(bank),
            account=account or (transaction.account if transaction else ""),
            typology=typology,
            opened_by=actor.user,
            due_at=timezone.now() + TIME_FOR_A_CASE,
            currency=transaction.currency if transaction else "JPY",
        )
        put_steps(case, typology)
        write(actor, case, Kind.OPENED, verb="case.opened", about={"typology": typology})
        attach(actor, case, alerts)
        case.refresh_from_db()
    return case


def require_typology(typology: str) -> None:
    if typology and typology not in TYPOLOGIES:
        raise Refused(
            "no_typology", gettext_noop("Choose a typology from the list."), field="typology"
        )


def put_steps(case: Case, typology: str) -> None:
    """The typology's checklist; what was done before stays done, what nobody asks for goes."""
    codes = steps_for(typology)
    case.steps.filter(done_at__isnull=True).exclude(code__in=codes).delete()
    kept = {step.code: step for step in case.steps.all()}
    extra = [code for code in kept if code not in codes]
    for place, code in enumerate([*codes, *extra]):
        if code in kept:
            case.steps.filter(code=code).update(place=place)
        else:
            CaseStep.objects.create(bank_id=case.bank_id, case=case, code=code, place=place)


def _decided_typology(alerts: Sequence[Alert]) -> str:
    return next((a.reason_code for a in alerts if a.reason_code in TYPOLOGIES), "")


def _next_number(bank: Bank) -> int:
    """Counted one by one: who opens at the same time waits here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"cases:{bank.pk}"]
        )
    last: int | None = Case.objects.filter(bank=bank).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
