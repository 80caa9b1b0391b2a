"""One act on several alerts: what can be done is done, what cannot says why."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from banks.models import Alert, AlertEvent, BulkAction, Transaction
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

from .deciding import decide, require_fitting, undo
from .history import checked_text
from .taking import claim, release, snooze

Kind = AlertEvent.Kind
MOST_AT_ONCE: Final = 100
ACTS: Final[dict[str, tuple[str, Callable[..., Alert]]]] = {
    "decide": (Kind.DECIDED, decide),
    "claim": (Kind.CLAIMED, claim),
    "release": (Kind.RELEASED, release),
    "snooze": (Kind.SNOOZED, snooze),
}


def do_at_once(
    *, bank: Bank, actor: Actor, act: str, alert_ids: Iterable[uuid.UUID], **facts: Any
) -> BulkAction:
    """Decide, take, put back or put off several alerts by the rules that hold for one.

    ``facts`` are the act's own arguments, the same for all. Alerts that refuse are skipped with
    their reason. Raises Refused for no or too many alerts and for what no alert could accept.
    """
    ids = sorted(set(alert_ids))
    if act not in ACTS:
        raise Refused("no_act", gettext_noop("There is no such action."), field="act")
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise Refused(
            "bulk_size",
            gettext_noop("Choose 1 to %(most)s alerts; these are %(count)s."),
            field="alerts",
            most=MOST_AT_ONCE,
            count=len(ids),
        )
    if act == "decide":
        require_fitting(facts["disposition"], facts["reason_code"])
        checked_text(facts.get("note", ""))
    kind, one = ACTS[act]
    with bank_scope(bank.pk):
        _lock(bank, ids)
        changed, skipped = _each(
            ids, lambda alert_id: one(bank=bank, actor=actor, alert_id=alert_id, **facts)
        )
        _refuse_if_all_alike(changed, skipped)
        done = BulkAction.objects.create(
            bank=bank,
            user=actor.user,
            act=kind,
            facts={name: _plain(value) for name, value in facts.items()},
            changed=changed,
            skipped=skipped,
        )
        audit.record(
            actor=actor,
            verb="alerts.bulk",
            target=done,
            bank=bank,
            act=act,
            changed=len(changed),
            skipped=len(skipped),
        )
    return done


def undo_bulk(*, bank: Bank, actor: Actor, bulk_id: uuid.UUID | str) -> BulkAction:
    """Take back a bulk decision within the seconds that one decision has."""
    with bank_scope(bank.pk):
        done = BulkAction.objects.filter(
            bank=bank, pk=bulk_id, user=actor.user, act=Kind.DECIDED, undone_at__isnull=True
        ).first()
        if done is None:
            raise Refused("nothing_to_undo", gettext_noop("There is nothing to undo."))
        ids = [uuid.UUID(alert_id) for alert_id in done.changed]
        _lock(bank, ids)
        changed, skipped = _each(
            ids, lambda alert_id: undo(bank=bank, actor=actor, alert_id=alert_id)
        )
        _refuse_if_all_alike(changed, skipped)
        BulkAction.objects.filter(pk=done.pk).update(undone_at=timezone.now())
        return BulkAction.objects.create(
            bank=bank, user=actor.user, act=Kind.UNDONE, changed=changed, skipped=skipped
        )


def _lock(bank: Bank, ids: list[uuid.UUID]) -> None:
    """All rows first and in one order: the audit chain is locked later, and never before them."""
    rows = Alert.objects.filter(bank=bank, pk__in=ids).order_by("pk")
    keys = list(rows.select_for_update().values_list("transaction_id", flat=True))
    transactions = Transaction.objects.filter(bank=bank, pk__in=keys).order_by("pk")
    list(transactions.select_for_update().values_list("pk", flat=True))


def _each(
    ids: list[uuid.UUID], one: Callable[[uuid.UUID], Alert]
) -> tuple[list[str], list[dict[str, Any]]]:
    changed, skipped = [], []
    for alert_id in ids:
        try:
            one(alert_id)
        except Refused as refused:
            said = {"code": refused.code, "sentence": refused.sentence, "params": refused.params}
            skipped.append({"alert": str(alert_id), **said, "field": refused.field})
        else:
            changed.append(str(alert_id))
    return changed, skipped


def _refuse_if_all_alike(changed: list[str], skipped: list[dict[str, Any]]) -> None:
    """What was asked itself does not fit: say it at its field instead of once for each alert."""
    if changed or not skipped or not skipped[0]["field"]:
        return
    first = skipped[0]
    raise Refused(first["code"], first["sentence"], field=first["field"], **first["params"])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
