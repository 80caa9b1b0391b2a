"""A real Celery worker beside the browser: every queue of every bank, and the centre's metronome.

It runs as a thread of the test's process, so that it shares the test's settings (short keys, an
own data folder, the live server as coordinator); its messages go through the real Redis.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from celery.contrib.testing.worker import start_worker

from consortium.celery import app

CLOCK = "coordinator"
NUDGES = ("aggregation.tasks.keep_time", "banks.tasks.keep_time")
TICK = 1.0


@contextmanager
def working(slugs: Sequence[str]) -> Iterator[None]:
    """Work off these banks' queues and the centre's, nudged as beat would, only more often."""
    queues = [CLOCK, *(f"{slug}.{kind}" for slug in slugs for kind in ("train", "protocol"))]
    _forget(queues)
    ended = threading.Event()
    with start_worker(app, queues=queues, perform_ping_check=False, shutdown_timeout=60):
        metronome = threading.Thread(target=_nudge, args=(ended,), daemon=True)
        metronome.start()
        try:
            yield
        finally:
            ended.set()
            metronome.join()
    _forget(queues)


def _nudge(ended: threading.Event) -> None:
    while not ended.wait(TICK):
        for name in NUDGES:
            app.send_task(name, queue=CLOCK, expires=TICK)


def _forget(queues: Sequence[str]) -> None:
    """Messages of another test name rows that are gone."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in queues:
            channel.queue_declare(queue=queue, durable=True, auto_delete=False)
            channel.queue_purge(queue)
