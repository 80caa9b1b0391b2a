"""What analysts see: the queue in order of expected loss, facets with counts, one alert's facts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from banks.models import Alert, BankSettings, Transaction
from consortium.accounts.models import Bank, User

PAGE: Final = 50
RECENT: Final = 15
DAYS_SHOWN: Final = 30

Status = Alert.Status
OPEN: Final = (Status.OPEN, Status.CLAIMED)
VIEWS: Final = ("open", "unassigned", "mine", "decided")


@dataclass(frozen=True)
class Filters:
    """What the reader asks to see."""

    view: str = "open"
    channel: str = ""
    only_consortium: bool = False
    after: str = ""

    @classmethod
    def from_query(cls, query: Any) -> Filters:
        """From a request's GET; what is not understood is as if not given."""
        view = query.get("view", "open")
        return cls(
            view=view if view in VIEWS else "open",
            channel=query.get("channel", "")[:20],
            only_consortium=query.get("only") == "consortium",
            after=query.get("after", ""),
        )


@dataclass(frozen=True)
class Queue:
    """One page of the queue; ``line_after`` is the place in it where today's capacity ends."""

    alerts: list[Alert]
    first_rank: int
    line_after: int | None
    next_cursor: str
    total: int


@dataclass(frozen=True)
class Facet:
    value: str
    count: int


@dataclass(frozen=True)
class Counts:
    open: int
    unassigned: int
    mine: int
    decided_today: int
    only_consortium: int
    expected_loss: int
    channels: list[Facet]

    def of(self, view: str) -> int:
        return self.decided_today if view == "decided" else int(getattr(self, view))


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


def queue(bank: Bank, user: User, filters: Filters) -> Queue:
    """A page of the queue, by expected loss; decided alerts by when they were decided."""
    rows = _matching(bank, user, filters)
    total = rows.count()
    rows = rows.select_related("transaction", "version", "claimed_by", "decided_by").defer(
        "version__artifact"
    )
    key, rank = _cursor(filters.after)
    if filters.view == "decided":
        rows = rows.order_by("-decided_at", "id")
        if key:
            rows = rows[rank : rank + PAGE + 1]
    else:
        rows = rows.order_by("-expected_loss", "id")
        if key:
            loss, last = key
            rows = rows.filter(Q(expected_loss__lt=loss) | Q(expected_loss=loss, id__gt=last))
    found = list(rows[: PAGE + 1])
    page = found[:PAGE]
    left = capacity_left(bank) - rank
    return Queue(
        alerts=page,
        first_rank=rank + 1,
        line_after=left if filters.view != "decided" and 0 <= left < len(found) else None,
        next_cursor=_next(page[-1], rank + PAGE) if len(found) > PAGE else "",
        total=total,
    )


def counts(bank: Bank, user: User) -> Counts:
    """How many alerts stand behind each facet."""
    of = Alert.objects.filter(bank=bank, status__in=OPEN).aggregate(
        open=Count("pk"),
        unassigned=Count("pk", filter=Q(status=Status.OPEN)),
        mine=Count("pk", filter=Q(claimed_by=user)),
        only_consortium=Count("pk", filter=Q(only_consortium=True)),
        expected_loss=Sum("expected_loss"),
    )
    channels = (
        Alert.objects.filter(bank=bank, status__in=OPEN)
        .values_list("channel")
        .annotate(n=Count("pk"))
        .order_by("-n")[:8]
    )
    return Counts(
        **{**of, "expected_loss": of["expected_loss"] or 0},
        decided_today=decided_today(bank),
        channels=[Facet(channel, n) for channel, n in channels if channel],
    )


def capacity_left(bank: Bank) -> int:
    """Reviews that the bank's analysts can still do today."""
    return max(0, _settings(bank).reviews_a_day - decided_today(bank))


def decided_today(bank: Bank) -> int:
    """Decisions since midnight on the bank's own clock."""
    zone = ZoneInfo(_settings(bank).zone)
    midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Alert.objects.filter(bank=bank, decided_at__gte=midnight).count()


def get(bank: Bank, alert_id: uuid.UUID) -> Alert | None:
    """One alert with what its page shows."""
    return (
        Alert.objects.select_related("transaction", "version", "claimed_by", "decided_by")
        .defer("version__artifact")
        .filter(bank=bank, pk=alert_id)
        .first()
    )


def following(bank: Bank, alert: Alert) -> Alert | None:
    """The open alert with the next largest expected loss."""
    after = Q(expected_loss__lt=alert.expected_loss) | Q(
        expected_loss=alert.expected_loss, id__gt=alert.pk
    )
    waiting = Alert.objects.filter(bank=bank, status=Status.OPEN).exclude(pk=alert.pk)
    ordered = waiting.order_by("-expected_loss", "id")
    return ordered.filter(after).first() or ordered.first()


def activity(transaction: Transaction) -> Activity:
    """The account's and the counterparty's past, as it was at the transaction's time."""
    bank, at = transaction.bank_id, transaction.time
    month = at - timedelta(days=DAYS_SHOWN)
    account = Transaction.objects.filter(bank_id=bank, account=transaction.account)
    if not transaction.account:
        account = account.none()
    before = account.filter(time__lt=at)
    of_30d = before.filter(time__gte=month).aggregate(n=Count("pk"), most=Max("amount"))
    counterparty = Transaction.objects.filter(
        bank_id=bank, counterparty=transaction.counterparty, time__lt=at
    )
    if not transaction.counterparty:
        counterparty = counterparty.none()
    return Activity(
        recent=list(
            account.filter(time__lte=at + timedelta(days=1)).order_by("-time", "-pk")[:RECENT]
        ),
        amounts_by_day=_by_day(before.filter(time__gte=month), month, at),
        count_30d=of_30d["n"],
        largest_30d=of_30d["most"],
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


def _by_day(rows: QuerySet[Transaction], since: datetime, until: datetime) -> list[int]:
    found: dict[Any, int] = dict(
        rows.annotate(day=TruncDate("time")).values_list("day").annotate(total=Sum("amount"))
    )
    first = timezone.localtime(since).date()
    days = (timezone.localtime(until).date() - first).days
    return [found.get(first + timedelta(days=day), 0) for day in range(days + 1)]


def _matching(bank: Bank, user: User, filters: Filters) -> QuerySet[Alert]:
    rows = Alert.objects.filter(bank=bank)
    if filters.view == "decided":
        rows = rows.filter(status=Status.DECIDED)
    elif filters.view == "unassigned":
        rows = rows.filter(status=Status.OPEN)
    else:
        rows = rows.filter(status__in=OPEN)
    if filters.view == "mine":
        rows = rows.filter(claimed_by=user)
    if filters.channel:
        rows = rows.filter(channel=filters.channel)
    if filters.only_consortium:
        rows = rows.filter(only_consortium=True)
    return rows


def _next(last: Alert, rank: int) -> str:
    return f"{last.expected_loss}_{last.pk}_{rank}"


def _cursor(text: str) -> tuple[tuple[int, uuid.UUID] | None, int]:
    """(expected loss, id) of the last row before this page, and how many rows came before."""
    try:
        loss, last, rank = text.split("_")
        return (int(loss), uuid.UUID(last)), max(0, int(rank))
    except ValueError:
        return None, 0


def _settings(bank: Bank) -> BankSettings:
    return BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)
