"""The estimate: bytes by the protocol's sizes, seconds and memory as this node was measured.

The run before, where the terms are the same, is the best measurement that there is; before the
first run it is the rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.db.models import Max, Sum

from banks.models import Rehearsal, RoundPart, TrainingRun
from banks.services.rounds.estimates.agreed import Agreed, step_of
from banks.services.rounds.estimates.rehearsing import Measured
from banks.services.rounds.node import manifest_of
from consortium.protocol.sizes import SumsOfAKind, run_traffic, working_bytes
from consortium.protocol.spec import Step

if TYPE_CHECKING:
    from consortium.accounts.models import Bank
    from consortium.protocol.sizes import RunShape

WORK = ("learn", "encrypt", "add", "open", "derive")
"""What a bank's time in a round goes to, in order."""

REQUESTS = {"learn": 0, "encrypt": 3, "add": 0, "open": 3, "derive": 7}
"""Small requests in each, one that writes counted twice; one for each bank's upload is added."""

Seconds = dict[str, float]
Basis = Literal["run", "rehearsal", "agreement"]


@dataclass(frozen=True)
class Estimate:
    """What a whole run takes one bank; ``in_all`` counts the bytes that all banks send.

    ``basis`` says what it was reckoned from: the ``run`` before, this node's ``rehearsal``, or only
    the ``agreement``, which knows the first sum and the last. Seconds and memory are then unknown.
    """

    basis: Basis
    sums: int
    sent: int
    received: int
    in_all: int
    kinds: list[SumsOfAKind] = field(default_factory=list)
    seconds: Seconds = field(default_factory=dict)
    memory: int = 0

    @property
    def total_seconds(self) -> float | None:
        return sum(self.seconds.values()) if self.seconds else None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Estimate:
        return cls(**{**body, "kinds": [SumsOfAKind(**kind) for kind in body["kinds"]]})


@dataclass(frozen=True)
class Happened:
    """What a run took one bank, as its own node measured it."""

    sums: int
    sent: int
    received: int
    seconds: Seconds
    memory: int


def estimate(bank: Bank, task: Agreed) -> Estimate:
    """The best there is to say now; needs the bank's scope."""
    before = _run_before(bank, task)
    if before:
        return _from_run(task, before)
    row = Rehearsal.objects.filter(bank=bank, task=task.task).exclude(body={}).first()
    if row and row.body["terms"] == task.terms:
        return _from_rehearsal(task, Measured.from_json(row.body))
    known = [step for step in (task.first_step, task.metrics) if step]
    return _reckoned(task.shape, known, basis="agreement")


def keep(bank: Bank, run: TrainingRun, task: Agreed) -> None:
    """Write down with a run that begins what was expected of it; needs the bank's scope."""
    found = estimate(bank, task)
    if found.seconds:
        TrainingRun.objects.filter(pk=run.pk, estimate={}).update(estimate=found.to_json())


def happened(run: TrainingRun) -> Happened:
    """The sums over a run's parts; needs the bank's scope."""
    parts = RoundPart.objects.filter(run=run)
    totals = parts.aggregate(up=Sum("bytes_up"), down=Sum("bytes_down"), top=Max("peak_memory"))
    return Happened(
        sums=parts.count(),
        sent=totals["up"] or 0,
        received=totals["down"] or 0,
        seconds=_spent(parts.values_list("seconds", flat=True)),
        memory=totals["top"] or 0,
    )


def _spent(found: Iterable[Seconds]) -> Seconds:
    spent = dict.fromkeys(WORK, 0.0)
    for one in found:
        for name in WORK:
            spent[name] += one.get(name, 0.0)
    return spent


def _run_before(bank: Bank, task: Agreed) -> list[RoundPart]:
    """The parts in the newest finished run on the same terms."""
    parts = RoundPart.objects.filter(
        bank=bank, task=task.task, run__status=TrainingRun.Status.DONE
    ).defer("upload", "aggregate", "derived", "certificate", "submission", "receipt")
    newest = parts.order_by("-created_at").first()
    if newest is None:
        return []
    manifest = manifest_of(newest)
    if Agreed.of_manifest(manifest, task.shape.banks).terms != task.terms:
        return []
    whole = parts.filter(run=newest.run_id, stage=RoundPart.Stage.DERIVED)
    return list(whole.order_by("created_at"))


def _from_run(task: Agreed, parts: Sequence[RoundPart]) -> Estimate:
    return _reckoned(
        task.shape,
        [step_of(manifest_of(part)) for part in parts],
        basis="run",
        seconds=_spent(part.seconds for part in parts),
        memory=max(part.peak_memory for part in parts),
    )


def _from_rehearsal(task: Agreed, measured: Measured) -> Estimate:
    from consortium.protocol.calibration import Pace

    shape, pace = task.shape, Pace.from_json(measured.pace)
    steps, seconds = [], dict.fromkeys(WORK, 0.0)
    for name, bits, length, vector, advance in measured.steps:
        step = Step(name, bits, length, 0)
        steps.append(step)
        own = {"learn": vector, "derive": advance}
        closing = pace.seconds(shape, step)
        for work in WORK:
            requests = REQUESTS[work] + (shape.banks if work == "add" else 0)
            seconds[work] += (
                own.get(work, 0.0) + closing.get(work, 0.0) + requests * measured.request
            )
    sum_memory = measured.memory_before + max(working_bytes(shape, step) for step in steps)
    memory = max(measured.memory, sum_memory)
    return _reckoned(shape, steps, basis="rehearsal", seconds=seconds, memory=memory)


def _reckoned(
    shape: RunShape,
    steps: Sequence[Step],
    *,
    basis: Basis,
    seconds: Seconds | None = None,
    memory: int = 0,
) -> Estimate:
    traffic = run_traffic(shape, steps)
    return Estimate(
        basis=basis,
        sums=traffic.sums,
        sent=traffic.bank.sent,
        received=traffic.bank.received,
        in_all=traffic.in_all,
        kinds=list(traffic.kinds),
        seconds=seconds or {},
        memory=memory,
    )
