"""Labels that came back: how many, from where, how late; and the files that brought them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Avg, Count, F, FloatField, Q
from django.db.models.functions import Extract
from django.utils import timezone

from banks.models import LabelEvent, LabelFile
from consortium.accounts.models import Bank

DAYS: Final = 90
SHOWN: Final = 30


@dataclass(frozen=True)
class Words:
    """Words of one source since a day; ``days`` is the mean from the payment to the word."""

    source: str
    said: int
    fraud: int
    genuine: int
    taken_back: int
    waiting: int
    days: float | None


def since() -> datetime:
    return timezone.now() - timedelta(days=DAYS)


def words(bank: Bank) -> list[Words]:
    """What was said since ``DAYS`` ago, by source; needs the bank's scope."""
    late = Extract(F("known_at") - F("transaction__time"), "epoch", output_field=FloatField())
    found: Any = (
        LabelEvent.objects.filter(bank=bank, known_at__gte=since())
        .order_by()
        .values("source")
        .annotate(
            said=Count("pk"),
            fraud=Count("pk", filter=Q(value=1)),
            genuine=Count("pk", filter=Q(value=0)),
            taken_back=Count("pk", filter=Q(value__isnull=True)),
            waiting=Count("pk", filter=Q(learned_by__isnull=True, value__isnull=False)),
            seconds=Avg(late),
        )
        .order_by("source")
    )
    return [
        Words(
            source=str(LabelEvent.Source(row["source"]).label),
            days=None if row["seconds"] is None else row["seconds"] / 86400,
            **{name: row[name] for name in ("said", "fraud", "genuine", "taken_back", "waiting")},
        )
        for row in found
    ]


def files(bank: Bank) -> list[LabelFile]:
    """The newest files first."""
    return list(LabelFile.objects.filter(bank=bank).select_related("created_by")[:SHOWN])
