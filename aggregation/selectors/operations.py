"""How the centre itself is: queues, workers, disk, nodes, and what is wrong just now.

Of a bank's node: when it was heard of last and which version it runs. Nothing else is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import redis
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aggregation.selectors.members import Member, members
from aggregation.selectors.progress import RunProgress, going
from aggregation.services.enrolment import MEMBERS
from consortium import machine, pulse

QUEUES = ("coordinator",)
TABLES = ("aggregation", "accounts")
BANK_SILENT_AFTER = timedelta(minutes=2)
LONG_QUEUE = 100


@dataclass(frozen=True)
class Node:
    """A bank's node as far as the centre knows it."""

    member: Member
    expected: bool  # it has joined and is not suspended, so it should call every few seconds

    @property
    def silent(self) -> bool:
        seen = self.member.seen_at
        overdue = seen is None or timezone.now() - seen > BANK_SILENT_AFTER
        return self.expected and overdue

    @property
    def other_version(self) -> bool:
        version = self.member.version
        return self.expected and bool(version) and version != settings.VERSION


@dataclass(frozen=True)
class Alarm:
    """Something that an operator should look at now; ``code`` is for programs."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Work:
    """What the broker says: queues with their workers, the metronome."""

    broker: bool  # whether it answered; without it, the rest is not known
    queues: list[pulse.Queue]
    metronome: pulse.Pulse | None


@dataclass(frozen=True)
class Operations:
    work: Work
    disk: machine.Disk
    tables: int
    programs: list[machine.Program]
    nodes: list[Node]
    going: list[RunProgress]

    @property
    def alarms(self) -> list[Alarm]:
        return [*_of_work(self.work), *_of_nodes(self.nodes), *_of_disk(self.disk)]


def operations() -> Operations:
    return Operations(
        work=_work(),
        disk=machine.disk(),
        tables=machine.tables_size(TABLES),
        programs=machine.programs(),
        nodes=nodes(members()),
        going=going(),
    )


def alarms(known: list[Member]) -> list[Alarm]:
    """What is wrong just now, without a question to the database."""
    return [*_of_work(_work()), *_of_nodes(nodes(known)), *_of_disk(machine.disk())]


def _work() -> Work:
    try:
        heard = pulse.pulses()
        metronome = next((one for one in heard if one.name == pulse.METRONOME), None)
        return Work(broker=True, queues=pulse.queues(QUEUES, heard), metronome=metronome)
    except redis.RedisError:
        return Work(broker=False, queues=[], metronome=None)


def nodes(known: list[Member]) -> list[Node]:
    """The nodes of the banks that have joined."""
    return [Node(one, one.bank.status in MEMBERS) for one in known if one.bank.signing_key]


def _of_work(found: Work) -> Iterator[Alarm]:
    if not found.broker:
        yield Alarm("broker_away", _("The broker does not answer: nothing moves until it is back."))
        return
    for queue in found.queues:
        if not queue.served:
            about = {"queue": queue.name}
            sentence = _("No worker of the queue %(queue)s lives: start one.") % about
            yield Alarm("queue_unserved", sentence)
        elif queue.length > LONG_QUEUE:
            about = {"queue": queue.name, "n": str(queue.length)}
            sentence = _("%(n)s messages wait in the queue %(queue)s: add a worker.") % about
            yield Alarm("queue_long", sentence)
    if found.metronome is None or found.metronome.silent:
        yield Alarm(
            "metronome_silent",
            _("The metronome (beat) is silent: no schedule starts and no deadline passes."),
        )


def _of_nodes(found: list[Node]) -> Iterator[Alarm]:
    silent = [node.member.bank.display_name for node in found if node.silent]
    if silent:
        sentence = ngettext(
            "%(n)s bank is silent: %(banks)s. Call its administrator.",
            "%(n)s banks are silent: %(banks)s. Call their administrators.",
            len(silent),
        )
        yield Alarm("banks_silent", sentence % {"n": len(silent), "banks": ", ".join(silent)})
    other = [node.member.bank.display_name for node in found if node.other_version]
    if other:
        sentence = _("Another version than the centre's runs at: %(banks)s.")
        yield Alarm("other_version", sentence % {"banks": ", ".join(other)})


def _of_disk(disk: machine.Disk) -> Iterator[Alarm]:
    if disk.scarce:
        yield Alarm("disk_full", _("The disk is nearly full: make room before uploads fail."))
