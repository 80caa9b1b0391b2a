"""The stored counts of a reference and its days, as ``banks.ml.monitoring`` judges them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from banks.ml.evaluation import GRID
from banks.ml.monitoring import Judged
from banks.ml.thresholds import logit_of
from banks.models import BankSettings, MonitorReference
from banks.services.thresholds import threshold_of


def judged(reference: MonitorReference) -> Judged:
    """Everything watched at the version's present threshold; call in the bank's scope."""
    settings = BankSettings.objects.filter(bank_id=reference.bank_id).first() or BankSettings()
    zone, days = ZoneInfo(settings.zone), list(reference.days.all())
    seen = reference.seen_until or reference.created_at
    ends = [datetime.combine(day.day + timedelta(days=1), time(), tzinfo=zone) for day in days]
    return Judged(
        reference=reference,
        days=days,
        cut=GRID.threshold_bin(logit_of(threshold_of(reference.version))),
        ages=[(seen - end).total_seconds() / 86400 for end in ends],
    )
