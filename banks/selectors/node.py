"""How this bank's own node is: its workers, its line to the coordinator, its disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import redis
from django.conf import settings
from django.utils import timezone

from banks import keys
from banks.models import ProtocolLease
from banks.selectors import membership
from consortium import machine, pulse
from consortium.accounts.models import Bank

LINE_SILENT_AFTER = timedelta(minutes=2)
WORKS = ("train", "protocol")


@dataclass(frozen=True)
class NodeState:
    broker: bool  # whether it answered; without it, queues and metronome are not known
    queues: list[pulse.Queue]
    metronome: pulse.Pulse | None
    line: ProtocolLease | None
    trouble: str
    disk: machine.Disk
    folder: int  # bytes of the bank's own folder
    tables: int | None  # None in the demo, where the tables of all banks are one
    programs: list[machine.Program]
    coordinator: str

    @property
    def line_silent(self) -> bool:
        at = self.line.last_contact_at if self.line else None
        return at is None or timezone.now() - at > LINE_SILENT_AFTER


def node_state(bank: Bank) -> NodeState:
    """Needs the bank's scope."""
    try:
        heard = pulse.pulses()
        queues, broker = pulse.queues([f"{bank.slug}.{work}" for work in WORKS], heard), True
    except redis.RedisError:
        heard, queues, broker = [], [], False
    line = membership.line(bank)
    return NodeState(
        broker=broker,
        queues=queues,
        metronome=next((one for one in heard if one.name == pulse.METRONOME), None),
        line=line,
        trouble=membership.trouble(line) if line and line.last_error else "",
        disk=machine.disk(),
        folder=machine.folder_size(keys.folder(bank.slug).parent),
        tables=None if settings.DEMO else machine.tables_size(["banks", "accounts"]),
        programs=machine.programs(),
        coordinator=settings.COORDINATOR_URL,
    )
