"""Before the first process starts: one demo a database, tables in place, or everything erased."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

# Folders of the data folder that belong to the demo's parties; nothing else in it is touched.
ERASED = ("banks", "coordinator", "media")
ONE_DEMO = 0x636F6E736F7274  # "consort": the advisory lock's number
FIRST_PORT, PORTS_TRIED = 8000, 50


@contextlib.contextmanager
def only_demo() -> Iterator[None]:
    """Hold this database for one demo, from its migration to its end."""
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_DEMO])
            if not cursor.fetchone()[0]:
                raise CommandError("A demo already runs on this database. Stop it first.")
        yield
    finally:
        holder.close()


def make_tables() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def erase() -> None:
    """Delete what the demo's database, broker and parties' folders hold."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute("DROP OWNED BY CURRENT_USER CASCADE")
    connection.close()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    for name in ERASED:
        shutil.rmtree(Path(settings.DATA_DIR, name), ignore_errors=True)


def choose_port(host: str, wanted: int | None) -> int:
    """The port that was asked for, or else the first free one from 8000 on."""
    if wanted is not None:
        if not _is_free(host, wanted):
            raise CommandError(f"Something listens on port {wanted} already. Name another.")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _is_free(host, port):
            return port
    raise CommandError(f"No free port from {FIRST_PORT} on. Name one with --port.")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
