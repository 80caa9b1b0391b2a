"""What a bulk action did, in the reader's language."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils import timezone

from banks.models import Alert, AlertEvent, BulkAction
from banks.services.alerts import UNDO_SECONDS
from consortium.accounts.access import translated
from consortium.accounts.models import Bank, User
from consortium.protocol.errors import Refused


@dataclass(frozen=True)
class Skipped:
    alert: Alert
    why: str


@dataclass(frozen=True)
class BulkResult:
    """``undo_seconds`` is how long the whole can still be undone; 0 where it cannot."""

    action: BulkAction
    changed: int
    skipped: list[Skipped]
    undo_seconds: int
    disposition: str


def bulk_result(bank: Bank, user: User, bulk_id: str) -> BulkResult | None:
    """One's own bulk action; None where there is none."""
    try:
        wanted = uuid.UUID(bulk_id)
    except ValueError:
        return None
    action = BulkAction.objects.filter(bank=bank, user=user, pk=wanted).first()
    if action is None:
        return None
    alerts = Alert.objects.select_related("transaction").in_bulk(
        [entry["alert"] for entry in action.skipped], field_name="pk"
    )
    return BulkResult(
        action=action,
        changed=len(action.changed),
        skipped=[
            Skipped(alerts[key], _said(entry))
            for entry in action.skipped
            if (key := uuid.UUID(entry["alert"])) in alerts
        ],
        undo_seconds=_undo_seconds(action),
        disposition=str(Alert.Disposition(action.facts["disposition"]).label)
        if action.facts.get("disposition")
        else "",
    )


def _said(entry: dict[str, object]) -> str:
    params: dict[str, object] = entry["params"]  # type: ignore[assignment]
    return translated(Refused(str(entry["code"]), str(entry["sentence"]), **params))  # type: ignore[arg-type]


def _undo_seconds(action: BulkAction) -> int:
    if action.act != AlertEvent.Kind.DECIDED or action.undone_at or not action.changed:
        return 0
    gone = (timezone.now() - action.created_at).total_seconds()
    return max(0, round(UNDO_SECONDS - gone))
