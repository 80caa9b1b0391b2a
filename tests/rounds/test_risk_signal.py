"""Banks add up their counterparties by real rounds; the centre is told nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregation.models import ModelVersion as CentreVersion
from aggregation.models import PublishedSum, Task, TrainingRun
from aggregation.services import runs
from banks import keys
from banks.ml.features import FeaturePlan, Signal
from banks.ml.risk_signal import Span, Terms
from banks.models import ProtocolLease, SignalOpening, SignalPart
from banks.models import TrainingRun as BankRun
from banks.services import datasets
from banks.services.rounds.node import Node
from banks.services.signal import consent, joint
from banks.services.signal.standard import signal_task
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import signalling as signalling_banks
from tests.banks import world
from tests.rounds.consortium import OPERATOR, Consortium, admin, describe

TERMS = Terms(slots=128, cap=200, amount_unit=1)
PLAN = FeaturePlan(joint=True, amount_unit=1)
FIRST = world.START.date()
WINDOW = f"{FIRST}/{FIRST + timedelta(days=20)}"


@pytest.fixture
def signalling(consortium: Consortium) -> Consortium:
    """Three banks that agreed on a task for the signal; nobody has accepted its terms yet."""
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed, rows=700)
    consortium.task = Task.objects.create(name="Signal", **signal_task(TERMS))
    consortium.sign_roster()
    return consortium


def accept(consortium: Consortium) -> None:
    for bank in consortium.banks:
        consent.decide(
            node=Node(bank),
            actor=admin(bank),
            task=str(consortium.task.pk),  # type: ignore[union-attr]
            terms=TERMS,
            accept=True,
        )


def start(consortium: Consortium, window: str = WINDOW) -> TrainingRun:
    assert consortium.task is not None
    return runs.start_run(actor=OPERATOR, task=consortium.task, window=window)


def test_every_bank_is_told_the_joint_view_and_the_centre_nothing(signalling: Consortium) -> None:
    accept(signalling)
    run = start(signalling)
    signalling.until(run)
    assert run.state == TrainingRun.State.DONE, describe(run)
    assert not CentreVersion.objects.exists()
    assert not PublishedSum.objects.exists()
    frames = [datasets.frame(bank) for bank in signalling.banks]
    span = Span.from_text(WINDOW, TERMS)
    with bank_scope(signalling.banks[0].pk):
        key = keys.token_key(signalling.banks[0].slug, SignalOpening.objects.get().token_key)
    expected = signalling_banks.opened_sums(frames, PLAN, TERMS, span, key=key)
    assert len(expected.cells) > 100
    for bank, frame in zip(signalling.banks, frames, strict=True):
        with bank_scope(bank.pk):
            opening = SignalOpening.objects.get()
            assert BankRun.objects.get().status == BankRun.Status.DONE
        assert bytes(opening.content) == expected.to_bytes()
        seen = joint.signal_for(bank, frame, PLAN)
        own = Signal.of_frame(frame, PLAN)
        assert seen.sums.volume["payments"].sum() > own.sums.volume["payments"].sum()


def test_a_day_is_never_summed_again(signalling: Consortium) -> None:
    accept(signalling)
    signalling.until(start(signalling))
    again = start(signalling, f"{FIRST + timedelta(days=10)}/{FIRST + timedelta(days=25)}")
    for bank in signalling.banks:
        signalling.step(bank)
    assert all("summed before" in trouble for trouble in signalling.troubles())
    runs.stop_run(actor=OPERATOR, run=again)
    with bank_scope(signalling.banks[0].pk):
        assert SignalPart.objects.filter(run=again.pk).count() == 0


def test_nothing_is_summed_before_enough_banks_accept(signalling: Consortium) -> None:
    with pytest.raises(Refused, match="accepted the terms"):
        start(signalling)


def test_a_day_that_is_not_over_is_not_summed(signalling: Consortium) -> None:
    accept(signalling)
    today = datetime.now(UTC).date()
    start(signalling, f"{today - timedelta(days=2)}/{today + timedelta(days=1)}")
    signalling.step(signalling.banks[0])
    with bank_scope(signalling.banks[0].pk):
        assert "is not over" in ProtocolLease.objects.get().last_error
