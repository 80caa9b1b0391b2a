"""How an alert ends: with a disposition and a reason that fits, or back again with a reason."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.db.models import Case, Q, Value, When
from django.utils import timezone

from banks.models import Alert, AlertEvent, Label, LabelEvent, ReasonCode
from banks.services.labels import record_label
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Role
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .history import alert_of, checked_text, user_id, was_first, write

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
        ReasonCode.INVESTMENT,
        ReasonCode.MULE,
        ReasonCode.FICTITIOUS_BILL,
        ReasonCode.OTHER_FRAUD,
        ReasonCode.DEPOSIT_FRAUD,
        ReasonCode.LOAN_GUARANTEE,
    ),
    Disposition.GENUINE: (
        ReasonCode.CUSTOMER_CONFIRMED,
        ReasonCode.KNOWN_PATTERN,
        ReasonCode.WORTH_CHECKING,
    ),
    Disposition.CANNOT_TELL: (ReasonCode.NO_CONTACT, ReasonCode.NOT_ENOUGH),
}
LABELS: Final = {Disposition.FRAUD: Label.FRAUD, Disposition.GENUINE: Label.GENUINE}
UNDO_SECONDS: Final = 10
GRACE_SECONDS: Final = 2  # for the way from the button to here


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
    require_fitting(disposition, reason_code)
    note = checked_text(note)
    with bank_scope(bank.pk):
        free = Q(status=Status.OPEN) | Q(status=Status.CLAIMED, claimed_by=actor.user)
        decided = Alert.objects.filter(free, pk=alert_id, bank=bank).update(
            status=Status.DECIDED,
            disposition=disposition,
            reason_code=reason_code,
            note=note,
            decided_by=actor.user,
            decided_at=timezone.now(),
        )
        alert = alert_of(bank, alert_id)
        if not decided:
            raise was_first(alert)
        if disposition in LABELS:
            _label(actor, alert, LABELS[Disposition(disposition)], reason_code)
        write(
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
    reason = checked_text(reason, field="reason")
    if not reason:
        raise Refused(
            "reason_required",
            gettext_noop("Say why the decision is taken back."),
            field="reason",
        )
    with bank_scope(bank.pk):
        own = Q() if actor.role == Role.LEAD else Q(decided_by=actor.user)
        before = alert_of(bank, alert_id)
        reopened = Alert.objects.filter(own, pk=alert_id, bank=bank, status=Status.DECIDED).update(
            status=Status.CLAIMED,
            claimed_by=actor.user,
            claimed_at=timezone.now(),
            **_UNDECIDED,
        )
        if not reopened:
            raise Refused(
                "not_yours",
                gettext_noop("Only who decided this alert, or a lead, can take that back."),
            )
        if before.disposition in LABELS:
            _label(actor, before, None, reason)
        alert = alert_of(bank, alert_id)
        write(actor, alert, Kind.REOPENED, verb="alert.reopened", text=reason)
    return alert


def undo(*, bank: Bank, actor: Actor, alert_id: uuid.UUID | str) -> Alert:
    """Within a few seconds: as if one had not decided; state and label are those of before."""
    with bank_scope(bank.pk):
        before = alert_of(bank, alert_id)
        since = timezone.now() - timedelta(seconds=UNDO_SECONDS + GRACE_SECONDS)
        undone = Alert.objects.filter(
            pk=alert_id,
            bank=bank,
            status=Status.DECIDED,
            decided_by=actor.user,
            decided_at__gte=since,
        ).update(
            status=Case(
                When(claimed_by__isnull=True, then=Value(Status.OPEN)),
                default=Value(Status.CLAIMED),
            ),
            **_UNDECIDED,
        )
        if not undone:
            raise Refused(
                "undo_over",
                gettext_noop(
                    "A decision is undone within %(seconds)s seconds by who made it. Open the"
                    " alert and take it back with a reason."
                ),
                seconds=UNDO_SECONDS,
            )
        if before.disposition in LABELS:
            _label(actor, before, _label_before(before), "undone")
        alert = alert_of(bank, alert_id)
        write(actor, alert, Kind.UNDONE, verb="alert.undone")
    return alert


def undo_seconds_left(alert: Alert, actor: Actor) -> int:
    """How long this person can still undo this alert's decision."""
    if alert.decided_at is None or alert.decided_by_id != user_id(actor):
        return 0
    gone = (timezone.now() - alert.decided_at).total_seconds()
    return max(0, round(UNDO_SECONDS - gone))


def require_fitting(disposition: str, reason_code: str) -> None:
    """A disposition, and a reason that belongs to it."""
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


_UNDECIDED: Final = {
    "disposition": "",
    "reason_code": "",
    "note": "",
    "decided_by": None,
    "decided_at": None,
}


def _label(actor: Actor, alert: Alert, value: int | None, reason: str) -> None:
    source = LabelEvent.Source.SAMPLE if alert.sample else LabelEvent.Source.ALERT
    record_label(
        bank=alert.bank,
        actor=actor,
        transaction_id=alert.transaction_id,
        value=value,
        reason=reason,
        source=source,
    )


def _label_before(alert: Alert) -> int | None:
    """What was said of the transaction before this decision's own word."""
    said = LabelEvent.objects.filter(transaction_id=alert.transaction_id).order_by("-pk")[1:2]
    return said[0].value if said else None
