"""Measuring this node for a coming run: its learning gone through alone, its sums timed once."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from banks import wake
from banks.models import Rehearsal
from banks.services.rounds.estimates.agreed import Agreed, agreed
from banks.services.rounds.node import Node
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.tenancy import bank_scope
from consortium.memory import peak_memory
from consortium.protocol.errors import Refused
from consortium.protocol.spec import RISK_SIGNAL, Step

if TYPE_CHECKING:
    from banks.ml.courses import Own, State
    from banks.services.datasets import Prepared
    from banks.services.rounds.recipe import RunRecipe
    from consortium.accounts.models import Bank

REQUESTS_TIMED = 5


@dataclass(frozen=True)
class Measured:
    """What a rehearsal found. ``steps``: name, bits, length, seconds of the vector and of going on.

    ``pace`` is ``calibration.Pace`` as JSON; ``request`` the seconds of one small request to the
    coordinator; ``memory`` what the process took at most, ``memory_before`` when it began.
    """

    terms: str
    rows: int
    steps: list[list[Any]]
    pace: dict[str, list[float]]
    request: float
    memory: int
    memory_before: int

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Measured:
        return cls(**body)


def ask(*, bank: Bank, task: str, actor: Actor) -> Rehearsal:
    """Have this node's worker measure what a run of the task takes here; again, if asked again."""
    with bank_scope(bank.pk):
        row, _created = Rehearsal.objects.update_or_create(
            bank=bank,
            task=task,
            defaults={"asked_at": timezone.now(), "made_at": None, "failure": {}},
        )
        audit.record(actor=actor, verb="run.rehearsal_asked", target=f"task:{task}", bank=bank)
        wake.for_rehearsal(bank)
    return row


def waiting(bank: Bank) -> bool:
    """Whether a rehearsal was asked for and nobody has made it."""
    with bank_scope(bank.pk):
        return Rehearsal.objects.filter(made_at=None).exists()


def rehearse_waiting(bank: Bank) -> None:
    """What the train queue does: every rehearsal that waits, its refusal kept where it has one."""
    node = Node(bank)
    with bank_scope(bank.pk):
        rows = list(Rehearsal.objects.filter(made_at=None))
    for row in rows:
        try:
            found: dict[str, Any] = {"body": asdict(_measure(node, agreed(node, str(row.task))))}
        except Refused as refused:
            params = {name: str(value) for name, value in refused.params.items()}
            said = {"code": refused.code, "sentence": refused.sentence, "params": params}
            found = {"body": {}, "failure": said}
        with bank_scope(bank.pk):
            Rehearsal.objects.filter(Q(asked_at=row.asked_at), pk=row.pk).update(
                **found, made_at=timezone.now()
            )


def _measure(node: Node, task: Agreed) -> Measured:
    from consortium.protocol import calibration

    with peak_memory() as peak:
        steps, rows = _learning(node, task)
        pace = calibration.measure(task.shape)
    return Measured(
        terms=task.terms,
        rows=rows,
        steps=[[*_of(step), round(vector, 4), round(on, 4)] for step, vector, on in steps],
        pace=pace.to_json(),
        request=_seconds_of_a_request(node),
        memory=peak.bytes,
        memory_before=peak.before,
    )


def _learning(node: Node, task: Agreed) -> tuple[list[tuple[Step, float, float]], int]:
    """Each sum that the run will ask for, with this bank's seconds for it, and its training rows.

    Of the cross-bank signal only the first sum is known before it is opened.
    """
    if task.shape.purpose == RISK_SIGNAL and task.first_step:
        return [(task.first_step, 0.0, 0.0)], 0
    from banks.ml import courses
    from banks.ml.federation import metrics_vector
    from banks.services.rounds.recipe import RunRecipe

    shape = task.shape
    recipe = RunRecipe.from_json(shape.recipe)
    plain = courses.course_of(
        shape.model,
        recipe.training,
        members=shape.banks,
        clip=task.clip,
        weight_cap=task.weight_cap,
    )
    course = courses.staged(plain, recipe.plan, recipe.first_stage)
    rows = _Rows(node, recipe)
    done, model = courses.rehearse(course, rows.own_for, seed=1)
    steps = [(one.step, rows.reading + one.vector, one.advance) for one in done]
    if task.metrics:
        began = time.perf_counter()
        metrics_vector(model, rows.newest.test.X, rows.newest.test.labels)
        steps.append((task.metrics, rows.reading + time.perf_counter() - began, 0.0))
    return steps, len(rows.newest.train.labels)


class _Rows:
    """This bank's rows as each state of a course wants them, read once of a kind.

    ``reading`` is what it takes to read them as each round finds them: made already.
    """

    def __init__(self, node: Node, recipe: RunRecipe) -> None:
        self._node, self._recipe = node, recipe
        self._read: dict[str, Prepared] = {}
        self.newest: Prepared
        self.reading = 0.0

    def own_for(self, state: State) -> Own:
        from banks.ml.courses import Own

        self.newest = self._rows_of(state)
        return Own(train=self.newest.train, validation=self.newest.validation, seed=1)

    def _rows_of(self, state: State) -> Prepared:
        from banks.ml import courses
        from banks.services import datasets, first_stages

        bank = self._node.bank
        if courses.is_first(state):
            name, wanted = "first", self._recipe.for_first_stage(bank)
        else:
            first = courses.first_stage_in(state)
            name = first_stages.keep(bank, first) if first else ""
            wanted = self._recipe.for_bank(bank, name)
        if name not in self._read:
            datasets.prepare(bank, wanted)
            began = time.perf_counter()
            self._read[name] = datasets.prepare(bank, wanted)
            self.reading = max(self.reading, time.perf_counter() - began)
        return self._read[name]


def _of(step: Step) -> list[Any]:
    return [step.name, step.bits, step.length]


def _seconds_of_a_request(node: Node) -> float:
    taken = []
    for _ in range(REQUESTS_TIMED):
        began = time.perf_counter()
        node.centre.get_bytes("log/head")
        taken.append(time.perf_counter() - began)
    return median(taken)
