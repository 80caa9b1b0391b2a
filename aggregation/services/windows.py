"""The data that a run's first sum is about, by name; what they hold is the banks' business."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from aggregation.models import Task, TrainingRun
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import RISK_SIGNAL

LONGEST_DAYS = 120


def next_window(task: Task) -> str:
    """The window of the run that begins now: today's date, or the days that a signal lacks."""
    if task.purpose != RISK_SIGNAL:
        return f"{timezone.now():%Y-%m-%d}"
    if unfinished := _frozen_without_end(task):
        return unfinished
    terms = task.recipe.get("signal", {})
    today = timezone.now().astimezone(ZoneInfo(terms.get("zone", task.zone))).date()
    first = _summed_until(task) or today - timedelta(days=terms.get("history_days", LONGEST_DAYS))
    end = min(today, first + timedelta(days=LONGEST_DAYS))
    if end <= first:
        raise Refused(
            "nothing_to_sum",
            gettext_noop("The days up to today are summed already; the next one ends at midnight."),
        )
    return f"{first}/{end}"


def _frozen_without_end(task: Task) -> str:
    """What was frozen is summed again over the same days and the same banks, or never."""
    last = TrainingRun.objects.filter(task=task).order_by("-number").first()
    if last is None or last.state != TrainingRun.State.FAILED:
        return ""
    return last.window if last.rounds.filter(frozen_at__isnull=False).exists() else ""


def _summed_until(task: Task) -> date | None:
    done = TrainingRun.objects.filter(task=task, state=TrainingRun.State.DONE)
    ends = [date.fromisoformat(run.window.partition("/")[2]) for run in done]
    return max(ends, default=None)
