"""Analysts' decisions: taken by one person at a time, never without disposition and reason.

Every change is one conditional UPDATE; who comes second learns who was first, and when.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from banks.models import Alert, AlertEvent, Label, LabelEvent, ReasonCode
from banks.services.labels import record_label
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Role
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

Status = Alert.Status
Kind = AlertEvent.Kind
Disposition = Alert.Disposition

REASONS: Final[dict[str, tuple[str, ...]]] = {
    Disposition.FRAUD: (
        ReasonCode.STOLEN_CARD,
        ReasonCode.COMPROMISED_MERCHANT,
        ReasonCode.PHISHING,
        ReasonCode.ORE_ORE,
        ReasonCode.REFUND,
        ReasonCode.FICTITIOUS_BILL,
        ReasonCode.INVESTMENT,
        ReasonCode.MULE,
        ReasonCode.OTHER_FRAUD,
    ),
    Disposition.GENUINE: (ReasonCode.CUSTOMER_CONFIRMED, ReasonCode.KNOWN_PATTERN),
    Disposition.CANNOT_TELL: (ReasonCode.NO_CONTACT, ReasonCode.NOT_ENOUGH),
}
LABELS: Final = {Disposition.FRAUD: Label.FRAUD, Disposition.GENUINE: Label.GENUINE}
MAX_TEXT: Final = 2000


class SomebodyWasFirst(Refused):
    """Another person has changed the alert in the meantime."""

    http_status = 409


def claim(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str) -> Alert:
    """Take an open alert; taking one's own again changes nothing."""
    with bank_scope(bank.pk):
        taken = Alert.objects.filter(pk=alert_id, bank=bank, status=Status.OPEN).update(
            status=Status.CLAIMED, claimed_by=actor.user, claimed_at=timezone.now()
        )
        alert = _alert(bank, alert_id)
        if taken:
            _write(actor, alert, Kind.CLAIMED, verb="alert.claimed")
        elif alert.status != Status.CLAIMED or alert.claimed_by_id != _user_id(actor):
            raise _was_first(alert)
    return alert


def claim_next(*, bank: Bank, actor: Actor) -> Alert | None:
    """Take the open alert with the largest expected loss; None when nothing is open."""
    with bank_scope(bank.pk):
        best = (
            Alert.objects.select_for_update(skip_locked=True)
            .filter(bank=bank, status=Status.OPEN)
            .order_by("-expected_loss", "id")
            .first()
        )
        return claim(bank=bank, actor=actor, alert_id=best.pk) if best else None


def release(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str) -> Alert:
    """Put an alert back; only who took it, or a lead."""
    with bank_scope(bank.pk):
        own = Q() if actor.role == Role.LEAD else Q(claimed_by=actor.user)
        released = Alert.objects.filter(own, pk=alert_id, bank=bank, status=Status.CLAIMED).update(
            status=Status.OPEN, claimed_by=None, claimed_at=None
        )
        alert = _alert(bank, alert_id)
        if not released:
            raise _was_first(alert)
        _write(actor, alert, Kind.RELEASED, verb="alert.released")
    return alert


def comment(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str, text: str) -> AlertEvent:
    """Add a line to an alert's history."""
    text = _checked_text(text)
    if not text:
        raise Refused("empty", gettext_noop("Write something first."), field="text")
    with bank_scope(bank.pk):
        alert = _alert(bank, alert_id)
        return _write(actor, alert, Kind.COMMENTED, verb="alert.commented", text=text)


def decide(
    *,
    bank: Bank,
    actor: Actor,
    alert_id: uuid.UUID | str,
    disposition: str,
    reason_code: str,
    note: str = "",
) -> Alert:
    """Close an alert. What was decided is a label of the next training.

    Raises Refused without a disposition and a reason that fits it, and SomebodyWasFirst when
    another person holds or has decided the alert.
    """
    _require_fitting(disposition, reason_code)
    note = _checked_text(note)
    now = timezone.now()
    with bank_scope(bank.pk):
        free = Q(status=Status.OPEN) | Q(status=Status.CLAIMED, claimed_by=actor.user)
        decided = Alert.objects.filter(free, pk=alert_id, bank=bank).update(
            status=Status.DECIDED,
            disposition=disposition,
            reason_code=reason_code,
            note=note,
            decided_by=actor.user,
            decided_at=now,
        )
        alert = _alert(bank, alert_id)
        if not decided:
            raise _was_first(alert)
        if disposition in LABELS:
            record_label(
                bank=bank,
                actor=actor,
                transaction_id=alert.transaction_id,
                value=LABELS[Disposition(disposition)],
                reason=reason_code,
                source=LabelEvent.Source.ALERT,
            )
        _write(
            actor,
            alert,
            Kind.DECIDED,
            verb="alert.decided",
            text=note,
            disposition=disposition,
            reason=reason_code,
        )
    return alert


def reopen(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str, reason: str) -> Alert:
    """Take a decision back: by who made it, or by a lead; its label is unknown again."""
    reason = _checked_text(reason)
    if not reason:
        raise Refused(
            "reason_required",
            gettext_noop("Say why the decision is taken back."),
            field="reason",
        )
    with bank_scope(bank.pk):
        own = Q() if actor.role == Role.LEAD else Q(decided_by=actor.user)
        before = _alert(bank, alert_id)
        reopened = Alert.objects.filter(own, pk=alert_id, bank=bank, status=Status.DECIDED).update(
            status=Status.CLAIMED,
            claimed_by=actor.user,
            claimed_at=timezone.now(),
            disposition="",
            reason_code="",
            note="",
            decided_by=None,
            decided_at=None,
        )
        if not reopened:
            raise Refused(
                "not_yours",
                gettext_noop("Only who decided this alert, or a lead, can take that back."),
            )
        if before.disposition in LABELS:
            record_label(
                bank=bank,
                actor=actor,
                transaction_id=before.transaction_id,
                value=None,
                reason=reason,
                source=LabelEvent.Source.ALERT,
            )
        alert = _alert(bank, alert_id)
        _write(actor, alert, Kind.REOPENED, verb="alert.reopened", text=reason)
    return alert


def _alert(bank: Bank, alert_id: uuid.UUID | str) -> Alert:
    alert = (
        Alert.objects.select_related("claimed_by", "decided_by")
        .filter(bank=bank, pk=alert_id)
        .first()
    )
    if alert is None:
        raise Refused("no_alert", gettext_noop("There is no such alert."))
    return alert


def _write(
    actor: Actor, alert: Alert, kind: str, *, verb: str, text: str = "", **facts: Any
) -> AlertEvent:
    event = AlertEvent.objects.create(
        bank_id=alert.bank_id, alert=alert, kind=kind, user=actor.user, text=text
    )
    audit.record(actor=actor, verb=verb, target=alert, bank=alert.bank, **facts)
    return event


def _was_first(alert: Alert) -> Refused:
    if alert.status == Status.DECIDED:
        return SomebodyWasFirst(
            "already_decided",
            gettext_noop("%(who)s decided this alert at %(when)s."),
            who=alert.decided_by or "—",
            when=_clock(alert.decided_at),
        )
    if alert.status == Status.CLAIMED:
        return SomebodyWasFirst(
            "already_taken",
            gettext_noop("%(who)s took this alert at %(when)s."),
            who=alert.claimed_by or "—",
            when=_clock(alert.claimed_at),
        )
    return SomebodyWasFirst("not_taken", gettext_noop("Nobody holds this alert."))


def _clock(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"


def _require_fitting(disposition: str, reason_code: str) -> None:
    if disposition not in Disposition.values:
        raise Refused(
            "disposition_required",
            gettext_noop("Choose fraud, genuine or cannot tell."),
            field="disposition",
        )
    if reason_code not in REASONS[disposition]:
        raise Refused(
            "reason_required",
            gettext_noop("Choose a reason that fits the decision."),
            field="reason_code",
        )


def _checked_text(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise Refused(
            "too_long",
            gettext_noop("The text has %(length)s characters; at most %(most)s fit."),
            field="note",
            length=len(text),
            most=MAX_TEXT,
        )
    return text


def _user_id(actor: Actor) -> object:
    return actor.user.pk if actor.user else None
