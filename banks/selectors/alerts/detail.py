"""One alert: itself, what comes after it, and the account's past as it was then."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from banks.models import Alert, Transaction
from consortium.accounts.models import Bank

from .filters import Status, awake

RECENT: Final = 15
DAYS_SHOWN: Final = 30


@dataclass(frozen=True)
class Activity:
    """What an account did around a transaction: the facts that come before any score."""

    recent: list[Transaction]
    amounts_by_day: list[int]
    count_30d: int
    largest_30d: int | None
    first_seen: datetime | None
    paid_counterparty_before: int
    counterparty_count_30d: int
    counterparty_frauds: int
    earlier_alerts: list[Alert]


def get(bank: Bank, alert_id: uuid.UUID) -> Alert | None:
    """One alert with what its page shows."""
    return (
        Alert.objects.select_related("transaction", "version", "claimed_by", "decided_by")
        .defer("version__artifact")
        .filter(bank=bank, pk=alert_id)
        .first()
    )


def following(bank: Bank, alert: Alert) -> Alert | None:
    """The next open alert in the queue."""
    after = Q(priority__lt=alert.priority) | Q(priority=alert.priority, id__gt=alert.pk)
    waiting = Alert.objects.filter(awake(), bank=bank, status=Status.OPEN).exclude(pk=alert.pk)
    ordered = waiting.order_by("-priority", "id")
    return ordered.filter(after).first() or ordered.first()


def activity(transaction: Transaction) -> Activity:
    """The account's and the counterparty's past, as it was at the transaction's time."""
    bank, at = transaction.bank_id, transaction.time
    month = at - timedelta(days=DAYS_SHOWN)
    account = Transaction.objects.filter(bank_id=bank, account=transaction.account)
    if not transaction.account:
        account = account.none()
    before = account.filter(time__lt=at)
    days = _by_day(before.filter(time__gte=month))
    counterparty = Transaction.objects.filter(
        bank_id=bank, counterparty=transaction.counterparty, time__lt=at
    )
    if not transaction.counterparty:
        counterparty = counterparty.none()
    return Activity(
        recent=list(
            account.filter(time__lte=at + timedelta(days=1)).order_by("-time", "-pk")[:RECENT]
        ),
        amounts_by_day=_amounts(days, month, at),
        count_30d=sum(day["count"] for day in days.values()),
        largest_30d=max((day["most"] for day in days.values()), default=None),
        first_seen=before.order_by("time").values_list("time", flat=True).first(),
        paid_counterparty_before=before.filter(counterparty=transaction.counterparty).count(),
        counterparty_count_30d=counterparty.filter(time__gte=month).count(),
        counterparty_frauds=counterparty.filter(label=1).count(),
        earlier_alerts=list(
            Alert.objects.select_related("transaction")
            .filter(bank_id=bank, transaction__account=transaction.account)
            .exclude(transaction=transaction)
            .exclude(transaction__account="")
            .order_by("-created_at")[:5]
        ),
    )


def _by_day(rows: QuerySet[Transaction]) -> dict[date, dict[str, Any]]:
    """Each day's count, total and largest amount, where there was any payment."""
    found = rows.annotate(day=TruncDate("time")).values("day")
    found = found.annotate(count=Count("pk"), total=Sum("amount"), most=Max("amount"))
    return {row["day"]: dict(row) for row in found.order_by("day")}


def _amounts(days: dict[date, dict[str, Any]], since: datetime, until: datetime) -> list[int]:
    first = timezone.localtime(since).date()
    span = (timezone.localtime(until).date() - first).days
    shown = (first + timedelta(days=day) for day in range(span + 1))
    return [days[day]["total"] if day in days else 0 for day in shown]
