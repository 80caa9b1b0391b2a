"""Signs of life: when each worker and the metronome were heard of last, and how long queues are.

Kept in the broker, for it beats where they work: without it nobody works and nobody is heard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from django.conf import settings
from django.utils import timezone

SECONDS = 10
SILENT_AFTER = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(days=1)
PREFIX = "consortium:pulse:"
METRONOME = "metronome"


@dataclass(frozen=True)
class Pulse:
    """Who was heard of, when, and which queues it serves."""

    name: str
    at: datetime
    queues: tuple[str, ...]
    version: str

    @property
    def silent(self) -> bool:
        return timezone.now() - self.at > SILENT_AFTER


@dataclass(frozen=True)
class Queue:
    """A queue, the messages that wait in it, and the workers that serve it."""

    name: str
    length: int
    workers: list[Pulse]

    @property
    def served(self) -> bool:
        return any(not worker.silent for worker in self.workers)


def note(name: str, queues: Iterable[str] = ()) -> None:
    """Say that ``name`` lives. A broker that is away is no reason to die."""
    said = {
        "at": datetime.now(tz=UTC).isoformat(),
        "queues": sorted(queues),
        "version": settings.VERSION,
    }
    try:
        _broker().set(PREFIX + name, json.dumps(said), ex=FORGOTTEN_AFTER)
    except redis.RedisError:
        return


def pulses() -> list[Pulse]:
    """All that were heard of in the last day, by name; ``redis.RedisError`` without a broker."""
    broker = _broker()
    names = sorted(broker.scan_iter(match=PREFIX + "*", count=500))
    found = zip(names, broker.mget(names), strict=True) if names else ()
    return [
        _pulse(key.decode().removeprefix(PREFIX), json.loads(said)) for key, said in found if said
    ]


def queues(names: Iterable[str], heard: Iterable[Pulse]) -> list[Queue]:
    """These queues as the broker knows them now."""
    broker, known = _broker(), list(heard)
    return [
        Queue(name, int(broker.llen(name)), [one for one in known if name in one.queues])
        for name in names
    ]


def _pulse(name: str, said: dict[str, object]) -> Pulse:
    served = said["queues"] if isinstance(said["queues"], list) else []
    at = datetime.fromisoformat(str(said["at"]))
    return Pulse(name, at, tuple(served), str(said["version"]))


def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
