"""The Celery application: two queues a bank (train, protocol) and one for the coordinator."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import worker_process_init
from django.apps import apps
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

from consortium.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consortium.settings")

app = Celery("consortium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool process whose worker was killed must not go on with what others now do again."""
    die_with_parent()


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
