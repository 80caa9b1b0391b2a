"""What a transaction turned out to be: every word is kept, the last one teaches the next run."""

from __future__ import annotations

from django.utils import timezone

from banks.models import Label, LabelEvent, Transaction
from banks.services import stale_pasts
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

Source = LabelEvent.Source


def label_transaction(
    *,
    bank: Bank,
    actor: Actor,
    transaction_id: int,
    value: int | None,
    reason: str,
    source: str = Source.ANALYST,
) -> LabelEvent:
    """Say that a transaction was fraud or genuine (a customer called), or take that back.

    ``value`` None means unknown again. Raises Refused without a reason, for a value that is no
    label, or where there is no such transaction.
    """
    reason = reason.strip()
    if not reason:
        raise Refused(
            "reason_required",
            gettext_noop("Say how you know; the next training will learn from it."),
            field="reason",
        )
    if value is not None and value not in Label.values:
        raise Refused(
            "label", gettext_noop("A label is 1 (fraud), 0 (genuine) or empty."), field="value"
        )
    with bank_scope(bank.pk):
        event = record_label(
            bank=bank,
            actor=actor,
            transaction_id=transaction_id,
            value=value,
            reason=reason,
            source=source,
        )
        audit.record(
            actor=actor,
            verb="transaction.labelled",
            target=f"transaction:{transaction_id}",
            bank=bank,
            source=source,
        )
    return event


def record_label(
    *,
    bank: Bank,
    actor: Actor,
    transaction_id: int,
    value: int | None,
    reason: str,
    source: str,
) -> LabelEvent:
    """The label and its event, without an audit row; call inside a change that writes one."""
    now = timezone.now()
    found = Transaction.objects.filter(bank=bank, pk=transaction_id).update(
        label=value, label_known_at=now if value is not None else None
    )
    if not found:
        raise Refused("no_transaction", gettext_noop("There is no such transaction."))
    stale_pasts.note_transactions(bank, [transaction_id])
    return LabelEvent.objects.create(
        bank=bank,
        transaction_id=transaction_id,
        value=value,
        source=source,
        reason=reason[:200],
        known_at=now,
        said_by=actor.user,
    )
