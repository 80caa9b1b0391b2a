"""What a coming run will take this bank, and what a run took beside what was expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from banks.models import Rehearsal, TrainingRun
from banks.services.rounds.estimates import agreed, reckoning
from banks.services.rounds.estimates.agreed import Agreed
from banks.services.rounds.estimates.reckoning import WORK, Estimate
from banks.services.rounds.node import Node
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused


@dataclass(frozen=True)
class Coming:
    """A task whose run may start: what it will take, and how far this node's own measuring is."""

    task: Agreed
    estimate: Estimate
    rehearsal: Rehearsal | None

    @property
    def measuring(self) -> bool:
        return bool(self.rehearsal and self.rehearsal.made_at is None)

    @property
    def work(self) -> list[tuple[str, float | None]]:
        """What this bank's time goes to, and the seconds where they are known."""
        return [(said, self.estimate.seconds.get(name)) for name, said in work_names().items()]

    @property
    def trouble(self) -> str:
        """Why this node could not measure itself, in the reader's language."""
        said = self.rehearsal.failure if self.rehearsal else {}
        return translated(Refused(said["code"], said["sentence"], **said["params"])) if said else ""


@dataclass(frozen=True)
class Compared:
    """One figure: expected, measured, and by how much of the measured one the first was off."""

    name: str
    unit: str  # "count", "bytes" or "seconds"
    expected: float
    measured: float

    @property
    def off(self) -> float | None:
        return (self.expected - self.measured) / self.measured if self.measured else None


def coming(bank: Bank) -> list[Coming]:
    """This bank's tasks with an estimate each; needs its scope. Raises Unreachable, Refused."""
    rows = {str(row.task): row for row in Rehearsal.objects.filter(bank=bank)}
    return [
        Coming(task, reckoning.estimate(bank, task), rows.get(task.task))
        for task in agreed.coming(Node(bank))
    ]


def side_by_side(run: TrainingRun) -> list[Compared]:
    """What was expected of a run beside what it took; nothing where no estimate was made."""
    if not run.estimate or run.is_open:
        return []
    expected, took = Estimate.from_json(run.estimate), reckoning.happened(run)
    figures: list[tuple[str, str, float, float]] = [
        (_("Sums"), "count", expected.sums, took.sums),
        (_("Sent"), "bytes", expected.sent, took.sent),
        (_("Received"), "bytes", expected.received, took.received),
        *(
            (str(label), "seconds", expected.seconds[work], took.seconds[work])
            for work, label in work_names().items()
        ),
        (_("Peak memory"), "bytes", expected.memory, took.memory),
    ]
    return [Compared(*figure) for figure in figures]


def work_names() -> dict[str, str]:
    """What a bank's time in a run goes to, in words."""
    said: dict[str, Any] = {
        "learn": _("Learn on its own transactions"),
        "encrypt": _("Close the vector"),
        "add": _("Fetch, check and add all uploads"),
        "open": _("Give towards the opening"),
        "derive": _("Open the sum and go on from it"),
    }
    return {work: said[work] for work in WORK}
