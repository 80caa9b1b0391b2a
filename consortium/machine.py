"""The machine a node runs on: its disk, its database, the programs and their versions."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection

SCARCE_SHARE, SCARCE_BYTES = 0.05, 2 * 10**9


@dataclass(frozen=True)
class Disk:
    """The file system that holds the node's data folder."""

    total: int
    free: int

    @property
    def scarce(self) -> bool:
        return self.free < SCARCE_BYTES or self.free < self.total * SCARCE_SHARE


@dataclass(frozen=True)
class Program:
    name: str
    version: str


def disk() -> Disk:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Disk(usage.total, usage.free)


def folder_size(folder: Path) -> int:
    """Bytes of the files in a folder and below; one that vanishes meanwhile counts nothing."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return size


def tables_size(labels: Iterable[str]) -> int:
    """Bytes of these apps' tables with their indexes."""
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    tables = sorted({model._meta.db_table for model in models})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(pg_total_relation_size(name::regclass)), 0) "
            "FROM unnest(%s::text[]) AS name",
            [tables],
        )
        return int(cursor.fetchone()[0])


def programs() -> list[Program]:
    """What this node runs on, for whoever must know which holes are mended."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database = str(cursor.fetchone()[0]).split()[0]
    return [
        Program("Consortium", settings.VERSION),
        Program("Python", platform.python_version()),
        Program("Django", version("django")),
        Program("Celery", version("celery")),
        Program("PostgreSQL", database),
        *_broker(),
    ]


def _broker() -> list[Program]:
    try:
        about = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2).info("server")
    except redis.RedisError:
        return []
    return [Program("Redis", str(about["redis_version"]))]
