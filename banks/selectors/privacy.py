"""What left this bank, and what proves that it was counted."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from banks.models import Destruction, RoundPart, SentMessage
from consortium.accounts.models import Bank

PAGE = 50
PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class Sent:
    """A body that left, and how the sum of the round that it was for is closed ("": none)."""

    row: SentMessage
    protocol: str


@dataclass(frozen=True)
class Ledger:
    """One page of the ledger, newest first, and where the next one begins."""

    rows: list[Sent]
    next_before: int | None


@dataclass(frozen=True)
class Destroyed:
    """A line of the ledger's other side, and the round that it was had for (None: a key)."""

    row: Destruction
    part: RoundPart | None


def ledger(bank: Bank, *, before: int | None = None) -> Ledger:
    """Bodies sent, keyset-paged by their number; needs the bank's scope."""
    rows = SentMessage.objects.filter(bank=bank).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows[: PAGE + 1])
    closed_by = _protocols(bank, page[:PAGE])
    lines = [Sent(row, closed_by.get(_round_of(row.path), "")) for row in page[:PAGE]]
    return Ledger(lines, page[PAGE - 1].pk if len(page) > PAGE else None)


def _round_of(path: str) -> uuid.UUID | None:
    """The round that a body was sent for, by its path; None for any other."""
    kind, _, rest = path.partition("/")
    try:
        return uuid.UUID(rest.partition("/")[0]) if kind == "rounds" else None
    except ValueError:
        return None


def _protocols(bank: Bank, rows: list[SentMessage]) -> dict[uuid.UUID | None, str]:
    named = [found for row in rows if (found := _round_of(row.path))]
    parts = RoundPart.objects.filter(bank=bank, round__in=named)
    return dict(parts.values_list("round", "manifest__body__protocol"))


def sent_by_purpose(bank: Bank) -> Iterable[Mapping[str, Any]]:
    """Count and bytes by purpose over the last 30 days; needs the bank's scope."""
    return (
        SentMessage.objects.filter(bank=bank, at__gte=timezone.now() - PERIOD)
        .values("purpose")
        .annotate(count=Count("pk"), bytes=Sum("size"))
        .order_by("-bytes")
    )


def parts(bank: Bank) -> QuerySet[RoundPart]:
    """The newest rounds of this bank with their receipts; needs the bank's scope."""
    return (
        RoundPart.objects.filter(bank=bank)
        .select_related("run")
        .defer("upload", "aggregate", "derived")
        .order_by("-created_at")[:PAGE]
    )


def destroyed(bank: Bank) -> list[Destroyed]:
    """What this bank no longer has, newest first; needs the bank's scope."""
    rows = list(Destruction.objects.filter(bank=bank)[:PAGE])
    named = RoundPart.objects.filter(bank=bank, round__in=[row.subject for row in rows])
    rounds = {part.round: part for part in named.only("round", "number", "purpose")}
    return [Destroyed(row, rounds.get(row.subject)) for row in rows]


def all_sent(bank: Bank) -> list[SentMessage]:
    """The whole ledger, oldest first; needs the bank's scope."""
    return list(SentMessage.objects.filter(bank=bank).order_by("pk"))


def protocols(bank: Bank) -> list[str]:
    """How the sums that this bank had a part in were closed; needs the bank's scope."""
    used = RoundPart.objects.filter(bank=bank).values_list("manifest__body__protocol", flat=True)
    return sorted(set(used)) or ["paillier-threshold"]
