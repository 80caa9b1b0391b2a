"""When runs begin by themselves, and the sweeping of what has passed its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from croniter import croniter
from django.db import transaction
from django.utils import timezone

from aggregation.models import ModelVersion, Round, SeenNonce, Task, TrainingRun
from aggregation.services import advertising, epochs, freezing, gifts, runs, submissions, votes
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.protocol.envelope import CLOCK_TOLERANCE_SECONDS
from consortium.protocol.errors import Refused, gettext_noop

NONCES_KEPT = timedelta(seconds=3 * CLOCK_TOLERANCE_SECONDS)
log = structlog.get_logger(__name__)


def next_run(*, cron: str, zone: str, after: datetime) -> datetime:
    """The first time after ``after`` that the cron line names in ``zone``."""
    try:
        local = after.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        raise Refused(
            "no_such_zone",
            gettext_noop("There is no time zone %(zone)s; write it like Asia/Tokyo."),
            field="zone",
            zone=zone,
        ) from None
    if len(cron.split()) != 5 or not croniter.is_valid(cron):
        raise Refused(
            "bad_cron",
            gettext_noop("Write the schedule as five fields: minute hour day month weekday."),
            field="cron",
        )
    found: datetime = croniter(cron, local).get_next(datetime)
    return found


@transaction.atomic
def set_schedule(*, actor: Actor, task: Task, cron: str, zone: str, enabled: bool) -> Task:
    """Change when the task's runs begin; takes effect at once."""
    following = next_run(cron=cron, zone=zone, after=timezone.now())
    Task.objects.filter(pk=task.pk).update(
        cron=cron, zone=zone, enabled=enabled, next_run_at=following if enabled else None
    )
    audit.record(
        actor=actor, verb="schedule.set", target=task, cron=cron, zone=zone, enabled=enabled
    )
    task.refresh_from_db()
    return task


def start_due_runs(*, now: datetime) -> int:
    """Start each task whose time has come, once, however late or often the beat comes."""
    started = 0
    for task in Task.objects.filter(enabled=True, next_run_at__lte=now):
        started += _start(task, now)
    return started


@transaction.atomic
def _start(task: Task, now: datetime) -> int:
    following = next_run(cron=task.cron, zone=task.zone, after=now)
    claimed = Task.objects.filter(pk=task.pk, enabled=True, next_run_at=task.next_run_at).update(
        next_run_at=following
    )
    if claimed != 1:
        return 0
    actor = system("schedule")
    try:
        with transaction.atomic():
            runs.start_run(actor=actor, task=task, trigger=TrainingRun.Trigger.SCHEDULE)
    except Refused as refused:
        audit.record(actor=actor, verb="run.not_started", target=task, reason=str(refused))
        return 0
    return 1


def advance(*, now: datetime) -> None:
    """Freeze or abandon what has reached its deadline, close votes, forget what is used up.

    One thing that fails does not keep the others waiting.
    """
    for pk in Round.objects.filter(state=Round.State.OPEN).values_list("pk", flat=True):
        _each(freezing.freeze_if_due, round_id=pk)
    candidates = ModelVersion.objects.filter(state=ModelVersion.State.CANDIDATE)
    for version in candidates.filter(vote_until__lte=now):
        _each(votes.close_vote, version=version, now=now)
    _each(epochs.retire_epochs)
    _each(submissions.empty_bodies)
    _each(advertising.empty_boxes)
    _each(gifts.empty_boxes)
    SeenNonce.objects.filter(seen_at__lt=now - NONCES_KEPT).delete()


def _each(step: Callable[..., object], **arguments: object) -> None:
    try:
        step(**arguments)
    except Refused as refused:
        log.warning("advance_refused", step=step.__name__, code=refused.code)
