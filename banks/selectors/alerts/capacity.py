"""How far the bank's reviewers get today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone

from banks.models import Alert, BankSettings
from consortium.accounts.models import Bank


def settings_of(bank: Bank) -> BankSettings:
    """The bank's settings, or what holds where it has not chosen."""
    return BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)


@dataclass(frozen=True, eq=False)
class Today:
    """The bank's day so far; read once for all parts of a page."""

    settings: BankSettings

    @property
    def midnight(self) -> datetime:
        """The day's beginning on the bank's own clock."""
        now = timezone.now().astimezone(ZoneInfo(self.settings.zone))
        return now.replace(hour=0, minute=0, second=0, microsecond=0)

    @cached_property
    def decided(self) -> int:
        """Decisions since midnight."""
        since = self.midnight
        return Alert.objects.filter(bank=self.settings.bank_id, decided_at__gte=since).count()

    @property
    def capacity_left(self) -> int:
        """Reviews that the bank's analysts can still do."""
        return max(0, self.settings.reviews_a_day - self.decided)


def today_of(bank: Bank) -> Today:
    return Today(settings_of(bank))
