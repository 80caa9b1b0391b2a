"""Phase 0: a bank trains alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from banks.models import BankSettings, Evaluation, ModelVersion, Threshold, TrainingRun, Transaction
from banks.services import runs, training
from banks.services.scorers import scorer_of
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world

pytestmark = pytest.mark.django_db

Status = TrainingRun.Status


def trained(bank: Bank, actor: Actor) -> TrainingRun:
    run = training.request_training(bank=bank, actor=actor)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        run.refresh_from_db()
    return run


def test_a_run_ends_with_a_version_its_counts_and_a_threshold(bank: Bank, owner: Actor) -> None:
    world.with_history(bank)
    run = trained(bank, owner)
    assert run.status == Status.DONE, run.failure
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get(run=run)
        tested = Evaluation.objects.get(version=version, window="test")
        threshold = Threshold.objects.get(version=version)
        scoring = BankSettings.objects.get(bank=bank).scoring_version
        assert scorer_of(version).features
    assert version.origin == "alone"
    assert sum(tested.fraud) > 0
    assert sum(tested.genuine) > sum(tested.fraud)
    assert tested.immature == 0
    assert 0 < threshold.value < 1
    assert scoring == version, "the first version of a bank scores"
    assert set(run.timings) == set(training.STEPS)


def test_the_test_window_counts_exactly_its_labelled_transactions(bank: Bank, owner: Actor) -> None:
    world.with_history(bank)
    run = trained(bank, owner)
    with bank_scope(bank.pk):
        tested = Evaluation.objects.get(version__run=run, window="test")
        inside = Transaction.objects.filter(
            time__gte=tested.window_from, time__lt=tested.window_until
        )
        assert sum(tested.fraud) == inside.filter(label=1).count()
        assert sum(tested.genuine) == inside.filter(label=0).count()
        assert sum(tested.fraud_amount) == sum(
            inside.filter(label=1).values_list("amount", flat=True)
        )


def test_a_run_is_done_once_however_often_its_message_comes(bank: Bank, owner: Actor) -> None:
    world.with_history(bank)
    run = trained(bank, owner)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        assert ModelVersion.objects.count() == 1
        run.refresh_from_db()
    assert run.attempts == 1


def test_a_second_run_is_refused_while_one_is_under_way(bank: Bank, owner: Actor) -> None:
    world.with_history(bank, rows=300)
    training.request_training(bank=bank, actor=owner)
    with pytest.raises(Refused) as refused:
        training.request_training(bank=bank, actor=owner)
    assert refused.value.code == "already_training"


def test_without_transactions_nothing_is_queued(bank: Bank, owner: Actor) -> None:
    with pytest.raises(Refused) as refused:
        training.request_training(bank=bank, actor=owner)
    assert refused.value.code == "no_transactions"
    with bank_scope(bank.pk):
        assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_fails_with_a_sentence(bank: Bank, owner: Actor, label: int) -> None:
    world.with_history(bank, rows=800)
    with bank_scope(bank.pk):
        Transaction.objects.update(label=label)
    run = trained(bank, owner)
    assert run.status == Status.FAILED
    assert run.failure_code in {"too_few_frauds", "one_class"}
    assert "fraud" in run.failure
    with bank_scope(bank.pk):
        assert not ModelVersion.objects.exists()


def test_a_cancelled_run_leaves_no_version(
    bank: Bank, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=owner)
    require = training._require_frauds

    def cancelled_meanwhile(prepared: object) -> None:
        training.cancel_training(bank=bank, actor=owner, run_id=run.pk)
        require(prepared)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_require_frauds", cancelled_meanwhile)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        run.refresh_from_db()
        assert not ModelVersion.objects.exists()
    assert run.status == Status.CANCELLED


def test_a_worker_that_wakes_up_late_writes_nothing(bank: Bank, owner: Actor) -> None:
    world.with_history(bank, rows=300)
    run = training.request_training(bank=bank, actor=owner)
    asleep = runs.claim(bank=bank, run_id=run.pk)
    assert asleep is not None
    assert runs.claim(bank=bank, run_id=run.pk) is None, "a held lease can't be taken"
    with bank_scope(bank.pk):
        TrainingRun.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    awake = runs.claim(bank=bank, run_id=run.pk)
    assert awake is not None
    with pytest.raises(runs.LeaseLost):
        asleep.report(progress=0.9)
    awake.report(progress=0.1)
    with bank_scope(bank.pk):
        run.refresh_from_db()
    assert run.progress == 0.1


def test_dropped_runs_are_found_and_given_up_after_three_deaths(bank: Bank, owner: Actor) -> None:
    world.with_history(bank, rows=300)
    run = training.request_training(bank=bank, actor=owner)
    assert runs.dropped(bank, queued_for=timedelta(hours=1)) == []
    for _attempt in range(runs.MOST_ATTEMPTS):
        assert runs.dropped(bank, queued_for=timedelta(0)) == [run.pk]
        assert runs.claim(bank=bank, run_id=run.pk)
        with bank_scope(bank.pk):
            TrainingRun.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert runs.dropped(bank, queued_for=timedelta(0)) == []
    assert runs.give_up(bank) == 1


def test_a_due_schedule_queues_one_run(bank: Bank) -> None:
    world.with_history(bank, rows=300)
    now = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)
    with bank_scope(bank.pk):
        BankSettings.objects.update(
            training_enabled=True,
            training_cron="30 2 * * *",
            zone="Asia/Tokyo",
            next_training_at=now - timedelta(minutes=1),
        )
    first = training.start_due(bank=bank, now=now)
    assert first is not None
    assert first.trigger == "schedule"
    assert training.start_due(bank=bank, now=now) is None
    with bank_scope(bank.pk):
        due = BankSettings.objects.get().next_training_at
    assert due == datetime(2026, 5, 1, 17, 30, tzinfo=UTC), "half past two in Tokyo"


def test_who_asked_for_a_training_is_in_the_audit_trail(bank: Bank, owner: Actor) -> None:
    world.with_history(bank, rows=300)
    run = training.request_training(bank=bank, actor=owner)
    entry = AuditEntry.objects.get(verb="training.requested")
    assert (entry.user, entry.target) == (owner.user, f"trainingrun:{run.pk}")


@pytest.mark.parametrize("family", ["mlp", "blend"])
def test_a_bank_trains_alone_with_the_family_it_chose(
    bank: Bank, owner: Actor, family: str
) -> None:
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=owner, family=family)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get(run=run)
        run.refresh_from_db()
        assert training.usual_family(bank) == family, "the next one is of the same kind"
    assert (version.family, version.parameters > 10) == (family, True)
    assert ("losses" in run.result) == (family == "mlp")


def test_a_family_that_does_not_exist_is_refused(bank: Bank, owner: Actor) -> None:
    world.with_history(bank, rows=50)
    with pytest.raises(Refused, match="no model family oracle"):
        training.request_training(bank=bank, actor=owner, family="oracle")
