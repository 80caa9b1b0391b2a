"""A month of a bank's fraud desk in numbers: each with its n, its interval and where it is from."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from banks.models import (
    Alert,
    BankSettings,
    Comparison,
    LabelEvent,
    ModelVersion,
    Threshold,
)
from banks.selectors.samples import SampledRecall, sampled_recall
from consortium.accounts.models import AuditEntry, Bank
from consortium.intervals import Interval, wilson

FRAUD, GENUINE = Alert.Disposition.FRAUD, Alert.Disposition.GENUINE
CHANGES: Final = ("version.chosen", "version.retired")


@dataclass(frozen=True)
class Share:
    """A part of a whole with its interval; no share of nothing."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.part, self.whole)


@dataclass(frozen=True)
class Month:
    """One calendar month on the bank's own clock."""

    bank: Bank
    settings: BankSettings
    first: date

    @property
    def since(self) -> datetime:
        return self._midnight(self.first)

    @property
    def until(self) -> datetime:
        return self._midnight(self.after)

    @property
    def last_day(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def after(self) -> date:
        return (self.first + timedelta(days=32)).replace(day=1)

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def has_ended(self) -> bool:
        return self.until <= timezone.now()

    @property
    def has_begun(self) -> bool:
        return self.since <= timezone.now()

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Alerts raised in the month and what became of them, by one query."""
        fraud, genuine = Q(disposition=FRAUD), Q(disposition=GENUINE)
        return self._raised.filter(sample=False).aggregate(
            raised=Count("pk"),
            decided=Count("pk", filter=Q(status=Alert.Status.DECIDED)),
            fraud=Count("pk", filter=fraud),
            genuine=Count("pk", filter=genuine),
            cannot_tell=Count("pk", filter=Q(disposition=Alert.Disposition.CANNOT_TELL)),
            fraud_amount=Sum("transaction__amount", filter=fraud),
            only_seen_together=Count("pk", filter=fraud & Q(only_consortium=True)),
            only_seen_together_amount=Sum(
                "transaction__amount", filter=fraud & Q(only_consortium=True)
            ),
        )

    @property
    def precision(self) -> Share:
        """Of the alerts decided as fraud or genuine, those that were fraud."""
        found = self.counts
        return Share(found["fraud"], found["fraud"] + found["genuine"])

    @cached_property
    def recall(self) -> SampledRecall:
        """From the month's drawn payments that somebody decided."""
        return sampled_recall(self.bank, since=self.since, until=self.until)

    @property
    def saved(self) -> int | None:
        """What stopping the frauds found saved, at the bank's recoverable share."""
        if not self.counts["decided"]:
            return None
        return round((self.counts["fraud_amount"] or 0) * self.settings.recoverable_share)

    @cached_property
    def hours(self) -> list[float]:
        """Hours from raised to decided, of the month's decided alerts."""
        found = self._raised.filter(sample=False, decided_at__isnull=False)
        return [
            (decided - raised).total_seconds() / 3600
            for raised, decided in found.values_list("created_at", "decided_at")
            if decided
        ]

    @property
    def median_hours(self) -> float | None:
        return statistics.median(self.hours) if self.hours else None

    @property
    def in_time(self) -> Share:
        """Decided within the bank's own limit."""
        within = sum(hours <= self.settings.sla_hours for hours in self.hours)
        return Share(within, len(self.hours))

    @cached_property
    def labels(self) -> list[tuple[str, int, int]]:
        """(source, labels said in the month, of these learned from already)."""
        found = (
            LabelEvent.objects.filter(
                bank=self.bank,
                known_at__gte=self.since,
                known_at__lt=self.until,
                value__isnull=False,
            )
            .order_by()
            .values_list("source")
            .annotate(n=Count("pk"), learned=Count("pk", filter=Q(learned_by__isnull=False)))
        )
        return [(str(LabelEvent.Source(source).label), n, learned) for source, n, learned in found]

    @cached_property
    def thresholds(self) -> list[Threshold]:
        return list(
            Threshold.objects.select_related("version", "set_by", "approved_by")
            .defer("version__artifact")
            .filter(bank=self.bank, created_at__gte=self.since, created_at__lt=self.until)
        )

    @cached_property
    def model_changes(self) -> list[tuple[AuditEntry, ModelVersion | None]]:
        """Which version was chosen to score, or retired, by whom and why."""
        entries = list(
            AuditEntry.objects.filter(
                bank=self.bank, at__gte=self.since, at__lt=self.until, verb__in=CHANGES
            )
        )
        keys = [entry.target.removeprefix("modelversion:") for entry in entries]
        found = ModelVersion.objects.defer("artifact").filter(bank=self.bank, pk__in=keys)
        versions = {str(version.pk): version for version in found}
        return [(entry, versions.get(key)) for entry, key in zip(entries, keys, strict=True)]

    @cached_property
    def gain(self) -> Comparison | None:
        """The latest comparison of the consortium's model with the own, made by the month's end."""
        return (
            Comparison.objects.select_related("version", "baseline")
            .defer("version__artifact", "baseline__artifact")
            .filter(
                bank=self.bank,
                version__origin=ModelVersion.Origin.CONSORTIUM,
                created_at__lt=self.until,
            )
            .order_by("-created_at", "-pk")
            .first()
        )

    @property
    def _raised(self) -> QuerySet[Alert]:
        return Alert.objects.filter(
            bank=self.bank, created_at__gte=self.since, created_at__lt=self.until
        )

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.settings.zone))


def month_of(bank: Bank, asked: str = "") -> Month | None:
    """The month asked for as YYYY-MM, else the present one; None where that is no month."""
    settings = BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)
    today = timezone.now().astimezone(ZoneInfo(settings.zone)).date()
    if not asked:
        return Month(bank, settings, today.replace(day=1))
    try:
        first = datetime.strptime(asked, "%Y-%m").date()  # noqa: DTZ007 - a calendar's month
    except ValueError:
        return None
    return Month(bank, settings, first) if 2000 <= first.year <= today.year + 1 else None
