"""A training run: sums that its banks ask for, a candidate, their votes, metrics, published.

What the sums mean is the banks' business: the centre opens what they signed, within the task's
limits.
"""

from __future__ import annotations

import secrets

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from aggregation.models import Round, Task, TrainingRun
from aggregation.refusals import Contradicts
from aggregation.selectors import estimates
from aggregation.services import epochs, ledger, rosters, rounds, terms, versions, windows
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.spec import METRIC_BITS, METRICS, RISK_SIGNAL, Step, starting_point

State = TrainingRun.State


@transaction.atomic
def start_run(
    *, actor: Actor, task: Task, trigger: str = TrainingRun.Trigger.PERSON, window: str = ""
) -> TrainingRun:
    """Begin a run with the task's present roster and its key.

    ``window`` names the data that the first sum is about (today's date where it is empty): over
    one window it is opened with one set of banks only.
    """
    Task.objects.select_for_update().get(pk=task.pk)
    if TrainingRun.objects.filter(task=task, state=State.RUNNING).exists():
        raise Contradicts("run_going", gettext_noop("A run of this task is going on."))
    roster = rosters.active_roster(task)
    if roster is None:
        raise Refused("no_roster", gettext_noop("The task has no roster that its members signed."))
    if task.purpose == RISK_SIGNAL:
        terms.require_accepted(task, Roster.from_wire(roster.body))
    last = TrainingRun.objects.filter(task=task).aggregate(last=Max("number"))["last"]
    epoch = epochs.usable_epoch(roster)
    run = TrainingRun.objects.create(
        task=task,
        number=(last or 0) + 1,
        trigger=trigger,
        roster=roster,
        epoch=epoch,
        estimate=estimates.estimate(
            task, roster=Roster.from_wire(roster.body), key_bits=epoch.key_bits
        ).to_json(),
        seed=secrets.token_hex(32),
        window=window or windows.next_window(task),
    )
    base_model = starting_point(run.seed, task.model)
    first = Step.from_wire(task.first_step)
    rounds.open_round(run=run, number=0, step=first, base_model=base_model)
    audit.record(actor=actor, verb="run.started", target=run, trigger=str(trigger))
    return run


def give_up(*, round_: Round, reason: str, params: dict[str, object] | None = None) -> None:
    """Abandon a round and try it again while attempts are left; part of the caller's transaction.

    Once frozen, it is tried again with the same banks only (``rounds.frozen_before``).
    """
    rounds.abandon(round_=round_, reason=reason, params=params)
    round_over(round_=round_)
    ledger.sign_head()


@transaction.atomic
def abandon_round(*, actor: Actor, round_: Round, why: str) -> None:
    """An operator gives a round up; the run tries it again."""
    if not why.strip():
        raise Refused("reason_missing", gettext_noop("Say why."), field="reason")
    row = rounds.locked(round_.pk)
    reason = gettext_noop("The operator gave the round up: %(why)s")
    give_up(round_=row, reason=reason, params={"why": why})
    audit.record(actor=actor, verb="round.given_up", target=row, reason=why)


def round_over(*, round_: Round) -> None:
    """Go on after a round has ended; part of the transaction that ended it."""
    run = round_.run
    if not TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).exists():
        return
    if round_.state == Round.State.OPENED:
        _after_opening(run, round_)
    elif round_.state == Round.State.DISPUTED or round_.attempt >= rounds.MOST_ATTEMPTS:
        fail(run=run, reason=round_.reason, params=round_.reason_params)
    else:
        step = Step.from_wire(round_.asked)
        _open(run, round_.number, step, rounds.base_model(round_), round_.attempt + 1)


def _after_opening(run: TrainingRun, round_: Round) -> None:
    if round_.step == METRICS:
        versions.publish(run=run)
        _finish(run)
    elif round_.following is None and run.task.purpose == RISK_SIGNAL:
        _finish(run)
    elif round_.following is None:
        versions.propose(run=run, sha256=round_.result)
    else:
        step = Step.from_wire(round_.following)
        _open(run, round_.number + 1, step, round_.result)


def candidate_decided(*, run: TrainingRun, accepted: bool) -> None:
    """Go on after the vote: measure an accepted model, end the run of a rejected one."""
    if accepted:
        last = Round.objects.filter(run=run).aggregate(last=Max("number"))["last"]
        step = Step(METRICS, bits=METRIC_BITS, length=run.task.metric_values, remaining=0)
        _open(run, last + 1, step, run.version.sha256)
    else:
        _finish(run)


def _open(run: TrainingRun, number: int, step: Step, base_model: str, attempt: int = 1) -> None:
    try:
        _within_limits(run.task, number, step)
        with transaction.atomic():
            rounds.open_round(
                run=run, number=number, step=step, base_model=base_model, attempt=attempt
            )
    except Refused as refused:
        fail(run=run, reason=refused.sentence, params=refused.params)


def _within_limits(task: Task, number: int, step: Step) -> None:
    """Banks that agree with one another still get no more than the task allows."""
    if step.name != METRICS and number >= task.most_rounds:
        raise Refused(
            "too_many_rounds",
            gettext_noop("The banks ask for more sums than the task allows (%(most)s)."),
            most=task.most_rounds,
        )
    if step.length > task.most_values:
        raise Refused(
            "too_many_values",
            gettext_noop(
                "The banks ask for %(values)s values in one sum; the task allows %(most)s."
            ),
            values=step.length,
            most=task.most_values,
        )


def _finish(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).update(
        state=State.DONE, finished_at=timezone.now()
    )
    ledger.sign_head()
    audit.record(actor=system("runs"), verb="run.done", target=run)


def fail(*, run: TrainingRun, reason: str, params: dict[str, object] | None = None) -> None:
    """End a run that cannot go on; part of the caller's transaction."""
    ledger.lock()
    failed = TrainingRun.objects.filter(pk=run.pk, state=State.RUNNING).update(
        state=State.FAILED,
        finished_at=timezone.now(),
        reason=reason,
        reason_params={name: str(value) for name, value in (params or {}).items()},
    )
    if failed:
        audit.record(actor=system("runs"), verb="run.failed", target=run, reason=reason)


@transaction.atomic
def stop_run(*, actor: Actor, run: TrainingRun) -> None:
    """An operator ends a run; its round, if one is going on, is abandoned."""
    reason = gettext_noop("The operator stopped the run.")
    live = Round.objects.filter(run=run, state__in=rounds.LIVE)
    held = [rounds.locked(pk) for pk in live.values_list("pk", flat=True)]
    going = TrainingRun.objects.select_for_update().get(pk=run.pk)
    if going.state != State.RUNNING:
        raise Contradicts("run_over", gettext_noop("The run is over."))
    fail(run=going, reason=reason)
    for round_ in held:
        rounds.abandon(round_=round_, reason=reason)
    audit.record(actor=actor, verb="run.stopped", target=going)
