"""Who in this bank viewed or exported what: looks and exports as one list, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from django.db.models import Q
from django.utils import timezone

from banks.models import AccessEntry
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.verbs import verb_name

PAGE = 50
MOST = 100_000
MICRO = 1_000_000
LATEST = 2**51  # microseconds: some seventy years after 1970
PERIODS: Final = (7, 30, 90, 365)
Act = Literal["", "viewed", "exported"]


@dataclass(frozen=True)
class Wanted:
    """The last ``days``, one ``act`` or both, ``who`` by a part of the name."""

    days: int = 30
    act: Act = ""
    who: str = ""


@dataclass(frozen=True)
class Look:
    at: datetime
    who: str
    act: Literal["viewed", "exported"]
    what: str
    target: str
    by_program: bool = False

    @property
    def cursor(self) -> int:
        """Where the list goes on: microseconds since 1970."""
        return round(self.at.timestamp() * MICRO)


@dataclass(frozen=True)
class Page:
    looks: list[Look]
    next_before: int | None


def looks(bank: Bank, wanted: Wanted, *, before: int | None = None, limit: int = PAGE) -> Page:
    """One page; needs the bank's scope."""
    found = sorted(_both(bank, wanted, before, limit + 1), key=lambda one: one.at, reverse=True)
    return Page(found[:limit], found[limit - 1].cursor if len(found) > limit else None)


def everything(bank: Bank, wanted: Wanted) -> list[Look]:
    """All of the period, for a file; needs the bank's scope."""
    return looks(bank, wanted, limit=MOST).looks


def _both(bank: Bank, wanted: Wanted, before: int | None, limit: int) -> Iterator[Look]:
    if wanted.act != "exported":
        views = AccessEntry.objects.filter(_of(bank, wanted, before)).order_by("-at", "-pk")
        for look in views[:limit]:
            what = look.get_what_display()
            yield Look(look.at, look.actor, "viewed", what, look.target, look.by_program)
    if wanted.act != "viewed":
        exports = AuditEntry.objects.filter(_of(bank, wanted, before), verb__endswith=".exported")
        for entry in exports.order_by("-at", "-sequence")[:limit]:
            target = entry.target or str(entry.facts.get("what", ""))
            yield Look(entry.at, entry.actor, "exported", verb_name(entry.verb), target)


def _of(bank: Bank, wanted: Wanted, before: int | None) -> Q:
    since = timezone.now() - timedelta(days=wanted.days)
    found = Q(bank=bank, at__gte=since, actor__icontains=wanted.who)
    if before is not None:
        found &= Q(at__lt=datetime.fromtimestamp(min(before, LATEST) / MICRO, UTC))
    return found
