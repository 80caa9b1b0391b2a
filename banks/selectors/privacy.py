"""What left this bank, and what proves that it was counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from banks.models import RoundPart, SentMessage
from consortium.accounts.models import Bank

PAGE = 50
PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class Ledger:
    """One page of the ledger, newest first, and where the next one begins."""

    rows: list[SentMessage]
    next_before: int | None


def ledger(bank: Bank, *, before: int | None = None) -> Ledger:
    """Bodies sent, keyset-paged by their number; needs the bank's scope."""
    rows = SentMessage.objects.filter(bank=bank).order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows[: PAGE + 1])
    return Ledger(page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None)


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


def all_sent(bank: Bank) -> list[SentMessage]:
    """The whole ledger, oldest first; needs the bank's scope."""
    return list(SentMessage.objects.filter(bank=bank).order_by("pk"))


def protocols(bank: Bank) -> list[str]:
    """How the sums that this bank had a part in were closed; needs the bank's scope."""
    used = RoundPart.objects.filter(bank=bank).values_list("manifest__body__protocol", flat=True)
    return sorted(set(used)) or ["paillier-threshold"]
