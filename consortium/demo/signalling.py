"""The demo's banks add up the counterparties they share, before they train together."""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregation.models import Task, TrainingRun
from aggregation.services import runs, schedules
from banks import wake
from banks.ml.risk_signal import Terms
from banks.models import SignalConsent, SignalOpening, SignalPrice
from banks.services.rounds.node import Node
from banks.services.signal import consent
from banks.services.signal.standard import signal_task
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast, founding
from consortium.demo.simulator.banks import DAYS
from consortium.demo.working import Stuck

NAME = "Cross-bank signal"
NAME_JA = "銀行間シグナル"
DAILY = "30 2 * * *"
TERMS = Terms(slots=1 << 16, zone=founding.ZONE, history_days=DAYS)


def agree(banks: list[Bank]) -> Task:
    """A task under terms that every bank's administrator accepts, and a key of the banks alone."""
    task = Task.objects.filter(name=NAME).first() or _task()
    founding.sign(task, banks)
    founding.share_a_key(task, banks)
    for bank in banks:
        with bank_scope(bank.pk):
            if SignalConsent.objects.filter(task=task.pk).exists():
                continue
        consent.decide(
            node=Node(bank),
            actor=cast.actor(bank, cast.ADMIN[0]),
            task=str(task.pk),
            terms=TERMS,
            accept=True,
        )
    return task


def start(task: Task, midnight: datetime) -> TrainingRun:
    """Sum the days of the banks' history; the last day's payments have not come in yet."""
    end = midnight.date() - timedelta(days=1)
    first = end - timedelta(days=DAYS)
    return TrainingRun.objects.filter(task=task).order_by("number").first() or runs.start_run(
        actor=cast.operator(), task=task, window=f"{first}/{end}"
    )


def told(run: TrainingRun, banks: list[Bank]) -> bool:
    """Whether the run is over and every bank knows the sums."""
    run.refresh_from_db()
    if run.state == TrainingRun.State.FAILED:
        raise Stuck(f"The signal's run failed: {run.reason}")
    return run.state == TrainingRun.State.DONE and all(_knows(bank) for bank in banks)


def measure(banks: list[Bank]) -> None:
    """Let the workers measure what it is worth; nobody waits for them."""
    for bank in banks:
        with bank_scope(bank.pk):
            measured = SignalPrice.objects.exists()
        if not measured:
            wake.for_signal_price(bank)


def _knows(bank: Bank) -> bool:
    with bank_scope(bank.pk):
        return SignalOpening.objects.exists()


def _task() -> Task:
    task = Task.objects.create(
        **signal_task(TERMS),
        name=NAME,
        name_ja=NAME_JA,
        round_seconds=founding.ROUND_SECONDS,
    )
    schedules.set_schedule(
        actor=cast.operator(), task=task, cron=DAILY, zone=founding.ZONE, enabled=True
    )
    task.refresh_from_db()
    return task
