"""My work: what is mine, what is late, what waits for my approval, and how the day went."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from banks.models import Alert
from banks.selectors.alerts import Filters, Today, queue
from banks.selectors.alerts.filters import OPEN, Deadlines, awake
from consortium.accounts.models import Bank, Membership, User

SHOWN: Final = 10
Ages = tuple[tuple[str | Promise, tuple[int, int | None]], ...]
AGES: Final[Ages] = (
    (_("0–2 days"), (0, 3)),
    (_("3–10 days"), (3, 11)),
    (_("11–30 days"), (11, 31)),
    (_("over 30 days"), (31, None)),
)


@dataclass(frozen=True)
class Waiting:
    """Something of a colleague's that needs this person's yes or no."""

    title: str
    url: str
    since: datetime
    by: str = ""


Source = Callable[[Membership], Iterable[Waiting]]
SOURCES: Final[list[Source]] = []


def waits_for_approval(source: Source) -> Source:
    """Register a part of the desk whose things wait for approvers (thresholds, freezes …)."""
    SOURCES.append(source)
    return source


def approvals(membership: Membership) -> list[Waiting]:
    """All that waits for this person's approval, oldest first."""
    found = [one for source in SOURCES for one in source(membership)]
    return sorted(found, key=lambda one: one.since)


@dataclass(frozen=True)
class Work:
    """A person's alerts and the team's; ages are of open alerts, by when they were raised."""

    open: int
    mine: list[Alert]
    mine_count: int
    overdue: int
    due_today: int
    next: list[Alert]
    put_off: int
    ages: list[tuple[str, int]]
    decided: int
    median_seconds: float | None


def work_of(bank: Bank, user: User, today: Today) -> Work:
    """What a reviewer finds when the day begins."""
    deadlines = Deadlines.of(today.settings)
    open_alerts = Alert.objects.filter(bank=bank, status__in=OPEN)
    counted = open_alerts.aggregate(
        open=Count("pk"),
        mine=Count("pk", filter=Q(claimed_by=user, status=Alert.Status.CLAIMED)),
        overdue=Count("pk", filter=awake() & Q(created_at__lt=deadlines.overdue)),
        due_today=Count(
            "pk",
            filter=awake() & Q(created_at__gte=deadlines.overdue, created_at__lt=deadlines.today),
        ),
        put_off=Count("pk", filter=~awake()),
        **{f"age_{place}": Count("pk", filter=_between(*ends)) for place, (_label, ends) in _AGES},
    )
    spans = _spans_today(bank, user, today)
    return Work(
        open=counted["open"],
        mine=queue(bank, user, Filters(view="mine"), today).alerts[:SHOWN],
        next=queue(bank, user, Filters(view="unassigned"), today).alerts[:SHOWN],
        mine_count=counted["mine"],
        overdue=counted["overdue"],
        due_today=counted["due_today"],
        put_off=counted["put_off"],
        ages=[(str(label), counted[f"age_{place}"]) for place, (label, _ends) in _AGES],
        decided=len(spans),
        median_seconds=median(timed) if (timed := [s for s in spans if s is not None]) else None,
    )


_AGES: Final = tuple(enumerate(AGES))


def _between(first: int, after: int | None) -> Q:
    now = timezone.now()
    found = Q(created_at__lte=now - timedelta(days=first)) if first else Q()
    return found & Q(created_at__gt=now - timedelta(days=after)) if after else found


def _spans_today(bank: Bank, user: User, today: Today) -> list[float | None]:
    """Seconds from take to decision of each of today's own decisions; None where none was taken."""
    own = Alert.objects.filter(bank=bank, decided_by=user, decided_at__gte=today.midnight)
    return [
        (end - begin).total_seconds() if begin and end else None
        for begin, end in own.values_list("claimed_at", "decided_at")
    ]
