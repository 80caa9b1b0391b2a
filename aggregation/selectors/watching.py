"""A run as one watches it: who has done what, which phase, how long still.

Of a bank it names a state, never a time or a size of its own: uploads of a round are alike by
design, and who was faster is nobody's business here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Literal

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aggregation.models import Round, TrainingRun
from aggregation.selectors.performance import measured
from aggregation.selectors.progress import RoundProgress, RunProgress
from aggregation.services.protocols import protocol_of
from consortium.accounts.models import Bank
from consortium.naming import phase_name

Code = Literal["awaited", "late", "came", "done", "inside", "outside", "silent"]
State, Phase = Round.State, Round.Phase

DONE: dict[str, str | Promise] = {
    Phase.ADVERTISING: gettext_lazy("mask keys received"),
    Phase.COLLECTING: gettext_lazy("encrypted update received"),
    Phase.SIGNING: gettext_lazy("list signed"),
    Phase.DERIVING: gettext_lazy("result signed"),
}
"""What a bank that is not awaited any more has done in a phase."""
STAGES: dict[str, str] = {
    Phase.ADVERTISING: "keys",
    Phase.COLLECTING: "submission",
    Phase.SIGNING: "list",
    Phase.OPENING: "opening",
    Phase.DERIVING: "result",
}
"""The phases of a round as ``consortium.naming`` knows them."""


@dataclass(frozen=True)
class Participant:
    """A member and what it has done in a round; ``code`` is for programs."""

    bank: Bank
    code: Code
    said: str


@dataclass(frozen=True)
class Stage:
    """A phase of a round: ``done``, ``now`` or ``next``."""

    name: str
    state: Literal["done", "now", "next"]


@dataclass(frozen=True)
class Remaining:
    """How long a run still takes, if its next rounds take as long as those before."""

    seconds: float
    rounds: int  # how many opened rounds it was reckoned from
    earlier_run: bool  # whether they were an earlier run's


def participants(found: RoundProgress, members: list[Bank]) -> list[Participant]:
    """Every member of the roster, by name, with its state in the round."""
    return [_participant(found, bank) for bank in sorted(members, key=lambda one: one.name)]


def _participant(found: RoundProgress, bank: Bank) -> Participant:
    if not found.live:
        if bank in found.listed:
            return Participant(bank, "inside", _("in the sum"))
        return Participant(bank, "outside", _("not in the sum"))
    if str(bank.pk) not in found.manifest.members:
        return Participant(bank, "outside", _("not asked in this round"))
    waits = found.awaited
    if waits and bank in waits.banks:
        late = waits.until is not None and waits.until <= timezone.now()
        return Participant(bank, "late" if late else "awaited", _("late") if late else _("awaited"))
    if found.row.phase == Phase.OPENING:
        if bank in found.custodians:
            return Participant(bank, "done", _("gave its part"))
        return Participant(bank, "silent", _("stands by"))
    return Participant(bank, "done", str(DONE.get(found.row.phase, _("done"))))


def stages(row: Round) -> list[Stage]:
    """The phases of the round's protocol as a stepper."""
    phases = protocol_of(row).phases
    over = row.state == State.OPENED
    now = phases.index(Phase(row.phase)) if row.phase in phases else -1
    return [
        Stage(
            capfirst(phase_name(row.run.task.protocol, STAGES[phase])),
            "done" if over or place < now else "now" if place == now else "next",
        )
        for place, phase in enumerate(phases)
    ]


def remaining(run: RunProgress) -> Remaining | None:
    """None where no round was ever opened to reckon from, or the run waits for votes."""
    if not run.live:
        return None
    rows, earlier_run = _opened([one.row for one in run.rounds]), False
    if not rows:
        rows, earlier_run = _opened(_rounds_of_the_run_before(run.row)), True
    if not rows:
        return None
    usual = median((row.finished_at - row.opened_at).total_seconds() for row in rows)
    gone = (timezone.now() - run.live.row.opened_at).total_seconds()
    left = max(0.0, usual - gone) + usual * max(0, run.planned - run.opened - 1)
    return Remaining(left, len(rows), earlier_run)


def _opened(rows: list[Round]) -> list[Any]:
    return [row for row in rows if row.state == State.OPENED and row.finished_at]


def _rounds_of_the_run_before(run: TrainingRun) -> list[Round]:
    before = TrainingRun.objects.filter(
        task=run.task_id, state=TrainingRun.State.DONE, number__lt=run.number
    ).order_by("-number")
    newest = before.first()
    rows = Round.objects.only("state", "opened_at", "finished_at", "run")
    return list(rows.filter(run=newest)) if newest else []


def time_left(found: RoundProgress | None) -> timedelta | None:
    """Until the deadline of what is awaited; zero when it is past, None without one."""
    until = found.awaited.until if found and found.awaited else None
    return max(timedelta(), until - timezone.now()) if until else None


def curve_of_runs(task: uuid.UUID) -> dict[str, Any] | None:
    """Average precision by published version, as components/chart.html wants it."""
    found = [
        (str(one.version.number), round(one.curve.average_precision, 5))
        for one in reversed(measured(task=task))
        if one.curve.average_precision is not None
    ]
    if not found:
        return None
    return {
        "kind": "bars",
        "x": {"name": _("model version"), "labels": [version for version, _value in found]},
        "y": {"name": _("average precision"), "format": "percent"},
        "series": [{"name": _("consortium"), "values": [value for _version, value in found]}],
    }


def seconds_by_round(run: RunProgress) -> dict[str, Any] | None:
    """How long each opened round of the run took, as components/chart.html wants it."""
    rows = _opened([one.row for one in run.rounds])
    if not rows:
        return None
    return {
        "kind": "bars",
        "x": {"name": _("round"), "labels": [str(row.number) for row in rows]},
        "y": {"name": _("seconds")},
        "series": [
            {
                "name": _("from opening to result"),
                "values": [
                    round((row.finished_at - row.opened_at).total_seconds(), 1) for row in rows
                ],
            }
        ],
    }
