"""Who has an alert in hand: taken, put back, put off until a time."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from banks.models import Alert, AlertEvent
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Role
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import alert_of, checked_text, user_id, was_first, write

Status = Alert.Status
Kind = AlertEvent.Kind
LONGEST_SNOOZE: Final = timedelta(days=30)


def claim(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str) -> Alert:
    """Take an open alert; taking one's own again changes nothing."""
    with bank_scope(bank.pk):
        taken = Alert.objects.filter(pk=alert_id, bank=bank, status=Status.OPEN).update(
            status=Status.CLAIMED,
            claimed_by=actor.user,
            claimed_at=timezone.now(),
            snoozed_until=None,
        )
        alert = alert_of(bank, alert_id)
        if taken:
            write(actor, alert, Kind.CLAIMED, verb="alert.claimed")
        elif alert.status != Status.CLAIMED or alert.claimed_by_id != user_id(actor):
            raise was_first(alert)
    return alert


def claim_next(*, bank: Bank, actor: Actor) -> Alert | None:
    """The best alert already in one's hands, else the best that nobody holds, taken; or None.

    "Best" is the place in the queue; what is put off does not count.
    """
    with bank_scope(bank.pk):
        awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=timezone.now())
        waiting = Alert.objects.filter(awake, bank=bank).order_by("-priority", "id")
        if mine := waiting.filter(status=Status.CLAIMED, claimed_by=actor.user).first():
            return mine
        best = waiting.select_for_update(skip_locked=True).filter(status=Status.OPEN).first()
        return claim(bank=bank, actor=actor, alert_id=best.pk) if best else None


def release(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str) -> Alert:
    """Put an alert back; only who took it, or a lead."""
    with bank_scope(bank.pk):
        own = Q() if actor.role == Role.LEAD else Q(claimed_by=actor.user)
        released = Alert.objects.filter(own, pk=alert_id, bank=bank, status=Status.CLAIMED).update(
            status=Status.OPEN, claimed_by=None, claimed_at=None
        )
        alert = alert_of(bank, alert_id)
        if not released:
            raise was_first(alert)
        write(actor, alert, Kind.RELEASED, verb="alert.released")
    return alert


def snooze(
    *, bank: Bank, actor: Actor, alert_id: uuid.UUID | str, until: datetime, reason: str
) -> Alert:
    """Put an alert off until a time, and say why; then it comes back to everybody by itself."""
    reason = checked_text(reason, field="reason")
    now = timezone.now()
    if not reason:
        raise Refused(
            "reason_required", gettext_noop("Say what this alert waits for."), field="reason"
        )
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused(
            "snooze_range",
            gettext_noop("Choose a time in the future, at most 30 days away."),
            field="until",
        )
    with bank_scope(bank.pk):
        free = Q(status=Status.OPEN) | Q(status=Status.CLAIMED, claimed_by=actor.user)
        put_off = Alert.objects.filter(free, pk=alert_id, bank=bank).update(
            status=Status.OPEN, claimed_by=None, claimed_at=None, snoozed_until=until
        )
        alert = alert_of(bank, alert_id)
        if not put_off:
            raise was_first(alert)
        write(
            actor,
            alert,
            Kind.SNOOZED,
            verb="alert.snoozed",
            text=reason,
            until=until.isoformat(timespec="minutes"),
        )
    return alert
