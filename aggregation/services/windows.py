"""The data that a run's first sum is about, by name; what they hold is the banks' business."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from aggregation.models import Round, Task, TrainingRun
from aggregation.services.rosters import active_roster
from aggregation.services.rounds import manifest_of, proposal_of
from consortium.protocol.custody import too_few_apart
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.spec import RISK_SIGNAL

LONGEST_DAYS = 120
PRESENCE = timedelta(days=30)
OTHER_BANKS = gettext_noop(
    "Other banks came than to the sums before, and days count in both. The next run counts anew "
    "from the last summed day on with how many banks each counterparty deals."
)


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
    since = _counted_with_others(task, first)
    return f"{first}/{end}/{since}" if since else f"{first}/{end}"


def is_too_close(round_: Round, banks: Iterable[str]) -> bool:
    """Whether days of this round were counted before with a few banks more or fewer.

    The banks would refuse its list; the next run's window says from when they are counted anew.
    """
    task, manifest = round_.run.task, manifest_of(round_)
    if task.purpose != RISK_SIGNAL or manifest.number:
        return False
    first, _end, *since = map(date.fromisoformat, manifest.window.split("/"))
    counted = max([first - PRESENCE, *since])
    return any(
        end > counted and too_few_apart(banks, before, least=manifest.minimum_cohort)
        for before, end in _lists(task)
    )


def _counted_with_others(task: Task, first: date) -> date | None:
    """Until when the days before ``first`` were counted with other banks than are expected now."""
    roster, lists = active_roster(task), _lists(task)
    last = TrainingRun.objects.filter(task=task).order_by("-number").first()
    if roster is None or last is None or not lists:
        return None
    members = Roster.from_wire(roster.body)
    expected = lists[-1][0] if last.roster_id == roster.pk else members.banks
    ends = [
        end
        for before, end in lists
        if last.reason == OTHER_BANKS
        or too_few_apart(expected, before, least=members.numbers.minimum_cohort)
    ]
    newest = max(ends, default=None)
    return min(newest, first) if newest and newest > first - PRESENCE else None


def _lists(task: Task) -> list[tuple[tuple[str, ...], date]]:
    """The banks of each sum of presence that was frozen, and the end of its window; in order."""
    frozen = Round.objects.filter(run__task=task, number=0, frozen_at__isnull=False)
    return [
        (proposal_of(round_).banks, date.fromisoformat(manifest_of(round_).window.split("/")[1]))
        for round_ in frozen.defer("aggregate").order_by("frozen_at")
    ]


def _frozen_without_end(task: Task) -> str:
    """What was frozen is summed again over the same days and the same banks, or never."""
    last = TrainingRun.objects.filter(task=task).order_by("-number").first()
    if last is None or last.state != TrainingRun.State.FAILED:
        return ""
    return last.window if last.rounds.filter(frozen_at__isnull=False).exists() else ""


def _summed_until(task: Task) -> date | None:
    done = TrainingRun.objects.filter(task=task, state=TrainingRun.State.DONE)
    ends = [date.fromisoformat(run.window.split("/")[1]) for run in done]
    return max(ends, default=None)
