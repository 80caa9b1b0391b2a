"""Runs that begin by themselves, once, however late or often the beat comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from aggregation.models import Task, TrainingRun
from aggregation.services import schedules
from aggregation.tasks import keep_time
from consortium.accounts.models import AuditEntry
from consortium.protocol.errors import Refused
from tests.aggregation.conftest import OPERATOR, make_task

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def test_the_next_time_is_in_the_schedules_zone():
    daily = schedules.next_run(cron="0 3 * * *", zone="Asia/Tokyo", after=NOON)
    assert daily.astimezone(UTC) == datetime(2026, 1, 10, 18, 0, tzinfo=UTC)
    weekly = schedules.next_run(cron="30 2 * * 1", zone="UTC", after=NOON)
    assert weekly == datetime(2026, 1, 12, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "field"),
    [
        ("every day", "UTC", "cron"),
        ("61 * * * *", "UTC", "cron"),
        ("* * * * * *", "UTC", "cron"),
        ("", "UTC", "cron"),
        ("0 3 * * *", "Mars/Base", "zone"),
        ("0 3 * * *", "../etc/passwd", "zone"),
        ("0 3 * * *", "", "zone"),
    ],
)
def test_a_schedule_that_names_no_time_is_refused_at_its_field(cron, zone, field):
    task = make_task()
    with pytest.raises(Refused) as refused:
        schedules.set_schedule(actor=OPERATOR, task=task, cron=cron, zone=zone, enabled=True)
    assert refused.value.field == field
    task.refresh_from_db()
    assert not task.enabled


def scheduled(task: Task, due: datetime) -> Task:
    schedules.set_schedule(
        actor=OPERATOR, task=task, cron="0 3 * * *", zone="Asia/Tokyo", enabled=True
    )
    Task.objects.filter(pk=task.pk).update(next_run_at=due)
    return Task.objects.get(pk=task.pk)


def test_a_due_task_starts_once(five):
    now = timezone.now()
    scheduled(five.task, now - timedelta(days=3))
    assert schedules.start_due_runs(now=now) == 1
    assert schedules.start_due_runs(now=now) == 0  # three missed beats make one run
    assert TrainingRun.objects.get().trigger == TrainingRun.Trigger.SCHEDULE
    assert Task.objects.get().next_run_at > now


def test_a_task_that_is_not_due_or_switched_off_does_not_start(five):
    now = timezone.now()
    scheduled(five.task, now + timedelta(minutes=1))
    assert schedules.start_due_runs(now=now) == 0
    schedules.set_schedule(
        actor=OPERATOR, task=five.task, cron="* * * * *", zone="UTC", enabled=False
    )
    assert Task.objects.get().next_run_at is None
    assert schedules.start_due_runs(now=now + timedelta(days=9)) == 0


def test_a_run_that_cannot_start_leaves_its_reason_and_the_next_time():
    task = scheduled(make_task(), timezone.now())
    keep_time()
    entry = AuditEntry.objects.get(verb="run.not_started")
    assert "no roster" in entry.facts["reason"]
    task.refresh_from_db()
    assert task.next_run_at > timezone.now()


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_start_one_run(five):
    now = timezone.now()
    scheduled(five.task, now)

    def beat(_turn):
        try:
            return schedules.start_due_runs(now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(beat, range(4))) == 1
    assert TrainingRun.objects.count() == 1
