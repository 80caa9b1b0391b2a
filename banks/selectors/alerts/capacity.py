"""How far the bank's reviewers get today."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from banks.models import Alert, BankSettings
from consortium.accounts.models import Bank


def settings_of(bank: Bank) -> BankSettings:
    """The bank's settings, or what holds where it has not chosen."""
    return BankSettings.objects.filter(bank=bank).first() or BankSettings(bank=bank)


def capacity_left(bank: Bank) -> int:
    """Reviews that the bank's analysts can still do today."""
    return max(0, settings_of(bank).reviews_a_day - decided_today(bank))


def decided_today(bank: Bank) -> int:
    """Decisions since midnight on the bank's own clock."""
    zone = ZoneInfo(settings_of(bank).zone)
    midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Alert.objects.filter(bank=bank, decided_at__gte=midnight).count()
