"""Messages only nudge: what is due is decided by rows."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from aggregation.services import schedules


@shared_task
def keep_time() -> None:
    """Start scheduled runs that are due, move on what has reached its deadline."""
    now = timezone.now()
    schedules.start_due_runs(now=now)
    schedules.advance(now=now)
