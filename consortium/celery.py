"""The Celery application: two queues a bank (train, protocol) and one for the coordinator."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import after_task_publish, worker_process_init
from django.apps import apps
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

from consortium import pulse
from consortium.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consortium.settings")

app = Celery("consortium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
METRONOME_TASKS = ("aggregation.tasks.keep_time", "banks.tasks.keep_time")


class SignOfLife(bootsteps.StartStopStep):
    """The worker's parent process says every few seconds that it lives, also during a long task."""

    requires = ("celery.worker.components:Timer",)

    def start(self, worker: Any) -> None:
        about = (worker.hostname, list(worker.app.amqp.queues.consume_from))
        pulse.note(*about)
        worker.timer.call_repeatedly(pulse.SECONDS, pulse.note, about)


app.steps["worker"].add(SignOfLife)
app.autodiscover_tasks()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool process whose worker was killed must not go on with what others now do again."""
    die_with_parent()


@after_task_publish.connect
def the_metronome_lives(sender: str, **_: object) -> None:
    """Only beat sends these."""
    if sender in METRONOME_TASKS:
        pulse.note(pulse.METRONOME)


@app.on_after_finalize.connect
def set_the_metronome(sender: Celery, **_: object) -> None:
    """Beat only nudges: rows decide what is due, so a late or double beat changes nothing."""
    if apps.is_installed("aggregation"):
        sender.add_periodic_task(
            10.0, sender.signature("aggregation.tasks.keep_time", queue="coordinator")
        )
    if apps.is_installed("banks"):
        queue = "coordinator" if settings.DEMO else f"{settings.BANK_SLUG}.protocol"
        sender.add_periodic_task(10.0, sender.signature("banks.tasks.keep_time", queue=queue))
