"""An account's days around an alert in one line of time: payments, alerts, what was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from banks.models import Alert, LabelEvent, Transaction

from .detail import Activity

MOST_OF_A_KIND: Final = 10


@dataclass(frozen=True)
class Moment:
    """One thing that happened: a payment, an alert's end or beginning, a word on a payment."""

    at: datetime
    kind: str  # payment, this, alert, decided, label
    transaction: Transaction
    alert: Alert | None = None
    label: LabelEvent | None = None


def timeline(alert: Alert, activity: Activity) -> list[Moment]:
    """Newest first; without an account only the payment itself."""
    own = alert.transaction
    moments = [
        Moment(row.time, "this" if row.pk == own.pk else "payment", row)
        for row in activity.recent or [own]
    ]
    for other in activity.earlier_alerts:
        kind = "decided" if other.decided_at else "alert"
        moments.append(
            Moment(other.decided_at or other.created_at, kind, other.transaction, alert=other)
        )
    if own.account:
        said = (
            LabelEvent.objects.filter(bank=alert.bank_id, transaction__account=own.account)
            .exclude(source__in=[LabelEvent.Source.ALERT, LabelEvent.Source.SAMPLE])
            .select_related("transaction", "said_by")[:MOST_OF_A_KIND]
        )
        moments += [Moment(one.known_at, "label", one.transaction, label=one) for one in said]
    return sorted(moments, key=lambda moment: moment.at, reverse=True)
