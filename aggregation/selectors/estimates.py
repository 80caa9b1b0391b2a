"""What a run will take as far as the centre can know it, and what it then took.

Of the banks' own seconds and memory the centre knows nothing; each bank's page shows its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from aggregation.models import Task, TrainingRun
from aggregation.selectors.progress import RoundProgress, RunProgress, run_progress
from consortium.naming import phase_name
from consortium.protocol.roster import Roster
from consortium.protocol.sizes import PHASES, RunShape, SumsOfAKind, run_traffic, working_bytes
from consortium.protocol.spec import METRIC_BITS, METRICS, RISK_SIGNAL, ProtocolName, Step


@dataclass(frozen=True)
class Estimate:
    """Of a run without a failed attempt. ``basis`` "run": the sums of the run before; "agreement":
    only the first sum and the last one, for the banks ask for the others as they go.

    ``seconds`` by phase are those of the run before, waiting included; ``memory`` is what a bank
    needs for a sum itself, besides its programs and its data.
    """

    basis: Literal["run", "agreement"]
    sums: int
    upload: int
    sent: int
    received: int
    in_all: int
    memory: int
    kinds: list[SumsOfAKind]
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Estimate:
        return cls(**{**body, "kinds": [SumsOfAKind(**kind) for kind in body["kinds"]]})

    @property
    def total_seconds(self) -> float | None:
        return sum(self.seconds.values()) if self.seconds else None


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


def estimate(task: Task, *, roster: Roster, key_bits: int) -> Estimate:
    """What the next run of the task takes with this roster and key."""
    shape = RunShape(
        protocol=cast(ProtocolName, str(task.protocol)),
        banks=len(roster.banks),
        key_bits=key_bits,
        purpose=task.purpose,
        model=task.model,
        recipe=task.recipe,
    )
    before = _run_before(task)
    rounds = [one for one in before.rounds if one.opened] if before else []
    steps = [_step(one) for one in rounds] or _known(task)
    traffic = run_traffic(shape, steps)
    return Estimate(
        basis="run" if rounds else "agreement",
        sums=traffic.sums,
        upload=traffic.upload,
        sent=traffic.bank.sent,
        received=traffic.bank.received,
        in_all=traffic.in_all,
        memory=max(working_bytes(shape, step) for step in steps),
        kinds=list(traffic.kinds),
        seconds=_seconds(rounds),
    )


def side_by_side(run: RunProgress) -> list[Compared]:
    """What was expected of a run that is done, beside what the centre measured."""
    if run.row.state != TrainingRun.State.DONE or not run.row.estimate:
        return []
    expected = Estimate.from_json(run.row.estimate)
    if expected.basis != "run":
        return []
    opened = [one for one in run.rounds if one.opened]
    took = _seconds(opened)
    return [
        Compared(_("Sums"), "count", expected.sums, len(opened)),
        Compared(
            _("Uploaded by each bank"),
            "bytes",
            expected.upload,
            sum(one.bytes_each or 0 for one in opened),
        ),
        *(
            Compared(name, "seconds", expected.seconds.get(code, 0.0), took[code])
            for code, name in phases_of(run.row.task)
            if code in took
        ),
    ]


def phases_of(task: Task) -> list[tuple[str, str]]:
    """The phases of the task's rounds: code and name."""
    return [(code, capfirst(phase_name(task.protocol, code))) for code in PHASES]


def _run_before(task: Task) -> RunProgress | None:
    done = TrainingRun.objects.filter(task=task, state=TrainingRun.State.DONE)
    newest = done.order_by("-number").values_list("pk", flat=True).first()
    return run_progress(newest) if newest else None


def _known(task: Task) -> list[Step]:
    first = Step.from_wire(task.first_step)
    if task.purpose == RISK_SIGNAL:
        return [first]
    return [first, Step(METRICS, METRIC_BITS, task.metric_values, 0)]


def _step(one: RoundProgress) -> Step:
    return Step.from_wire(one.row.asked)


def _seconds(rounds: Iterable[RoundProgress]) -> dict[str, float]:
    spent: dict[str, float] = defaultdict(float)
    for one in rounds:
        for phase in one.phases:
            spent[phase.code] += phase.seconds
    return dict(spent)
