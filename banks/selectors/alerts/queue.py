"""The queue itself: one page by expected loss, by keyset, with the line of today's capacity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db.models import Q, QuerySet

from banks.models import Alert
from banks.selectors.reasons import sentences
from consortium.accounts.models import Bank, User

from .capacity import Today, today_of
from .filters import Deadlines, Filters, matching

PAGE: Final = 50


@dataclass(frozen=True)
class Queue:
    """One page of the queue; ``line_after`` is the place in it where today's capacity ends."""

    alerts: list[Alert]
    first_rank: int
    line_after: int | None
    next_cursor: str


def queue(bank: Bank, user: User, filters: Filters, today: Today | None = None) -> Queue:
    """A page of the queue, by priority; decided alerts by when they were decided.

    Each alert carries ``headline``, its strongest reason in words, and ``due``, whether it is late.
    """
    today = today or today_of(bank)
    deadlines = Deadlines.of(today.settings)
    rows = matching(bank, user, filters, deadlines)
    rows = rows.select_related("transaction", "version", "claimed_by", "decided_by").defer(
        "version__artifact", "features"
    )
    ordered, rank = _after(rows, filters)
    found = list(ordered[: PAGE + 1])
    page = found[:PAGE]
    for alert in page:
        _dress(alert, deadlines)
    return Queue(
        alerts=page,
        first_rank=rank + 1,
        line_after=_line(today, filters, rank, len(found)),
        next_cursor=_next(page[-1], filters, rank + PAGE) if len(found) > PAGE else "",
    )


def _after(rows: QuerySet[Alert], filters: Filters) -> tuple[QuerySet[Alert], int]:
    """The rows from the cursor on, in the view's order, and how many came before."""
    cursor = _cursor(filters.after)
    if filters.view == "decided":
        rows = rows.order_by("-decided_at", "id")
        if cursor and (moment := _moment(cursor[0])):
            rows = rows.filter(Q(decided_at__lt=moment) | Q(decided_at=moment, id__gt=cursor[1]))
    else:
        rows = rows.order_by("-priority", "id")
        if cursor:
            # The first condition alone lets the index begin where the page begins.
            rows = rows.filter(priority__lte=cursor[0]).exclude(
                priority=cursor[0], id__lte=cursor[1]
            )
    return rows, cursor[2] if cursor else 0


def _line(today: Today, filters: Filters, rank: int, shown: int) -> int | None:
    """Places are those of the whole queue, so no line where a filter leaves some out."""
    if filters.narrow or filters.view not in {"open", "unassigned"}:
        return None
    left = today.capacity_left - rank
    return left if 0 <= left < shown else None


def _dress(alert: Alert, deadlines: Deadlines) -> None:
    told = [] if alert.veiled else sentences(alert.reasons[:1], alert.transaction.currency)
    alert.headline = told[0].text if told else ""  # type: ignore[attr-defined]
    alert.due = _due(alert, deadlines)  # type: ignore[attr-defined]


def _due(alert: Alert, deadlines: Deadlines) -> str:
    """overdue, today or nothing."""
    if alert.status == Alert.Status.DECIDED or alert.created_at >= deadlines.today:
        return ""
    return "overdue" if alert.created_at < deadlines.overdue else "today"


def _next(last: Alert, filters: Filters, rank: int) -> str:
    key = last.priority
    if filters.view == "decided" and last.decided_at:
        key = round(last.decided_at.timestamp() * 1_000_000)
    return f"{key}_{last.pk}_{rank}"


def _cursor(text: str) -> tuple[int, uuid.UUID, int] | None:
    """(order key, id) of the last row before this page, and how many rows came before."""
    try:
        key, last, rank = text.split("_")
        found = int(key), uuid.UUID(last), max(0, int(rank))
    except ValueError:
        return None
    return found if abs(found[0]) < 2**62 and found[2] < 2**31 else None


def _moment(microseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
