"""What every act on an alert shares: the alert itself, its line of history, who was first."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.utils import timezone

from banks.models import Alert, AlertEvent
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

MAX_TEXT: Final = 2000


class SomebodyWasFirst(Refused):
    """Another person has changed the alert in the meantime."""

    http_status = 409


def comment(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str, text: str) -> AlertEvent:
    """Add a line to an alert's history."""
    text = checked_text(text, field="text")
    if not text:
        raise Refused("empty", gettext_noop("Write something first."), field="text")
    with bank_scope(bank.pk):
        alert = alert_of(bank, alert_id)
        return write(actor, alert, AlertEvent.Kind.COMMENTED, verb="alert.commented", text=text)


def alert_of(bank: Bank, alert_id: uuid.UUID | str) -> Alert:
    """The alert with the people an answer may name; refused where there is none."""
    alert = (
        Alert.objects.select_related("claimed_by", "decided_by")
        .filter(bank=bank, pk=alert_id)
        .first()
    )
    if alert is None:
        raise Refused("no_alert", gettext_noop("There is no such alert."))
    return alert


def write(
    actor: Actor, alert: Alert, kind: str, *, verb: str, text: str = "", **facts: Any
) -> AlertEvent:
    """One line of history and one of the audit trail; call inside the change itself."""
    event = AlertEvent.objects.create(
        bank_id=alert.bank_id, alert=alert, kind=kind, user=actor.user, text=text
    )
    audit.record(actor=actor, verb=verb, target=alert, bank=alert.bank, **facts)
    return event


def was_first(alert: Alert) -> Refused:
    """Who holds or decided the alert, and since when."""
    if alert.status == Alert.Status.DECIDED:
        return SomebodyWasFirst(
            "already_decided",
            gettext_noop("%(who)s decided this alert at %(when)s."),
            who=str(alert.decided_by or "—"),
            when=_clock(alert.decided_at),
        )
    if alert.status == Alert.Status.CLAIMED:
        return SomebodyWasFirst(
            "already_taken",
            gettext_noop("%(who)s took this alert at %(when)s."),
            who=str(alert.claimed_by or "—"),
            when=_clock(alert.claimed_at),
        )
    return SomebodyWasFirst("not_taken", gettext_noop("Nobody holds this alert."))


def checked_text(text: str, *, field: str = "note") -> str:
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise Refused(
            "too_long",
            gettext_noop("The text has %(length)s characters; at most %(most)s fit."),
            field=field,
            length=len(text),
            most=MAX_TEXT,
        )
    return text


def user_id(actor: Actor) -> object:
    return actor.user.pk if actor.user else None


def _clock(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"
