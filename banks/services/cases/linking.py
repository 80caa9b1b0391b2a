"""Which alerts a case holds: each alert is in one case under way at most."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Sum

from banks.models import Alert, Case, CaseAlert
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import Kind, locked, write

MOST_ALERTS: Final = 100


class InAnotherCase(Refused):
    """An alert belongs to another case under way."""

    http_status = 409


def link(
    *, bank: Bank, actor: Actor, case_id: uuid.UUID | str, alert_ids: Sequence[uuid.UUID | str]
) -> Case:
    """Add alerts; those that are in it already change nothing."""
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        alerts = alerts_of(bank, alert_ids)
        if not alerts:
            raise Refused(
                "no_alert_chosen", gettext_noop("Choose at least one alert."), field="alert"
            )
        attach(actor, case, alerts)
        case.refresh_from_db()
    return case


def unlink(
    *, bank: Bank, actor: Actor, case_id: uuid.UUID | str, alert_id: uuid.UUID | str
) -> Case:
    """Take an alert out; it stays as it is and may go into another case."""
    with bank_scope(bank.pk):
        case = locked(bank, case_id)
        gone, _ = CaseAlert.objects.filter(bank=bank, case=case, alert_id=alert_id).delete()
        if not gone:
            raise Refused("not_linked", gettext_noop("This alert is not in this case."))
        add_up(case)
        write(
            actor,
            case,
            Kind.UNLINKED,
            verb="case.alert_unlinked",
            about={"alert": str(alert_id)},
        )
    return case


def alerts_of(bank: Bank, alert_ids: Sequence[uuid.UUID | str]) -> list[Alert]:
    """The alerts of these ids, in their order; refused when one of them is not there."""
    wanted = list(dict.fromkeys(str(one) for one in alert_ids))
    if len(wanted) > MOST_ALERTS:
        raise Refused(
            "too_many",
            gettext_noop("At most %(most)s alerts at once."),
            field="alert",
            most=MOST_ALERTS,
        )
    found = {
        str(alert.pk): alert
        for alert in Alert.objects.select_related("transaction").filter(bank=bank, pk__in=wanted)
    }
    if len(found) < len(wanted):
        raise Refused("no_alert", gettext_noop("There is no such alert."), field="alert")
    return [found[one] for one in wanted]


def attach(actor: Actor, case: Case, alerts: Sequence[Alert]) -> None:
    """Link alerts to a case that the caller holds, and add up what is at risk."""
    there = set(case.links.values_list("alert_id", flat=True))
    for alert in alerts:
        if alert.pk in there:
            continue
        _hold(actor, case, alert)
        write(actor, case, Kind.LINKED, verb="case.alert_linked", about={"alert": str(alert.pk)})
    add_up(case)


def add_up(case: Case) -> None:
    """What is at risk: the payments of the linked alerts, in the case's currency."""
    rows = CaseAlert.objects.filter(case=case, alert__transaction__currency=case.currency)
    total = rows.aggregate(total=Sum("alert__transaction__amount"))["total"]
    Case.objects.filter(pk=case.pk).update(amount_at_risk=total or 0)


def _hold(actor: Actor, case: Case, alert: Alert) -> None:
    try:
        with transaction.atomic():
            CaseAlert.objects.create(
                bank_id=case.bank_id, case=case, alert=alert, linked_by=actor.user
            )
    except IntegrityError as error:
        raise in_another_case(alert) from error


def in_another_case(alert: Alert) -> Refused:
    """Which case holds the alert."""
    held = CaseAlert.objects.select_related("case").filter(alert=alert, holding=True).first()
    return InAnotherCase(
        "in_another_case",
        gettext_noop("Alert %(alert)s is in case %(case)s already. Unlink it there first."),
        field="alert",
        alert=alert.transaction.external_id,
        case=str(held.case) if held else "–",
    )
