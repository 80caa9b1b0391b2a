"""A threshold changes by two people, now or at its time, and goes back with one click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from banks.models import EvaluatedRows, ModelVersion, Threshold, ThresholdChange
from banks.services import threshold_changes as changes
from banks.services import training
from banks.services.thresholds import threshold_of
from banks.tasks import keep_time
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(bank: Bank) -> ModelVersion:
    with bank_scope(bank.pk):
        made = ModelVersion.objects.create(
            bank=bank, number=1, origin="alone", family="mlp", status="published", artifact=b""
        )
        Threshold.objects.create(bank=bank, version=made, value=0.9, method="best_f1")
    return made


def proposed(bank: Bank, actor: Actor, version: ModelVersion, **given: object) -> ThresholdChange:
    said = {"value": 0.4, "reason": "the team has grown", **given}
    return changes.propose(bank=bank, actor=actor, version_id=version.pk, **said)  # type: ignore[arg-type]


def in_force(bank: Bank, version: ModelVersion) -> float:
    with bank_scope(bank.pk):
        return threshold_of(version)


def test_nothing_changes_before_a_second_person_says_yes(
    bank: Bank, owner: Actor, lead: Actor, version: ModelVersion
) -> None:
    change = proposed(bank, owner, version)
    assert in_force(bank, version) == 0.9
    with pytest.raises(Refused) as refused:
        changes.approve(bank=bank, actor=owner, change_id=change.pk)
    assert refused.value.code == "own_proposal"
    changes.approve(bank=bank, actor=lead, change_id=change.pk, note="agreed")
    assert in_force(bank, version) == 0.4
    with bank_scope(bank.pk):
        newest = Threshold.objects.filter(version=version).first()
        assert newest is not None
        assert (newest.set_by, newest.approved_by) == (owner.user, lead.user)
    verbs = AuditEntry.objects.filter(bank=bank).values_list("verb", flat=True)
    assert {"threshold.proposed", "threshold.approved", "threshold.set"} <= set(verbs)


def test_not_even_a_superuser_s_row_says_that_somebody_approved_their_own(
    bank: Bank, owner: Actor, version: ModelVersion
) -> None:
    assert owner.user is not None
    owner.user.is_superuser = True
    owner.user.save()
    change = proposed(bank, owner, version)
    with bank_scope(bank.pk), pytest.raises(IntegrityError), transaction.atomic():
        ThresholdChange.objects.filter(pk=change.pk).update(
            status="in_force", decided_by=owner.user, decided_at=timezone.now()
        )
    with pytest.raises(Refused):
        changes.approve(bank=bank, actor=owner, change_id=change.pk)


def test_a_reason_is_asked_for_and_only_one_change_is_open(
    bank: Bank, owner: Actor, lead: Actor, version: ModelVersion
) -> None:
    with pytest.raises(Refused):
        proposed(bank, owner, version, reason="  ")
    with pytest.raises(Refused):
        proposed(bank, owner, version, value=0.0)
    change = proposed(bank, owner, version)
    with pytest.raises(Refused) as refused:
        proposed(bank, lead, version)
    assert refused.value.code == "already_proposed"
    with pytest.raises(Refused):
        changes.send_back(bank=bank, actor=lead, change_id=change.pk, note="")
    changes.send_back(bank=bank, actor=lead, change_id=change.pk, note="too many alerts")
    with pytest.raises(Refused):
        changes.approve(bank=bank, actor=lead, change_id=change.pk)
    assert in_force(bank, version) == 0.9


def test_what_is_scheduled_takes_effect_at_its_time_and_once(
    bank: Bank, owner: Actor, lead: Actor, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused):
        proposed(bank, owner, version, effective_from=timezone.now() - timedelta(minutes=1))
    tomorrow = timezone.now() + timedelta(days=1)
    change = proposed(bank, owner, version, effective_from=tomorrow)
    changes.approve(bank=bank, actor=lead, change_id=change.pk)
    assert changes.put_due_in_force(bank=bank) == 0
    assert in_force(bank, version) == 0.9
    after = tomorrow + timedelta(seconds=1)
    assert changes.put_due_in_force(bank=bank, now=after) == 1
    assert changes.put_due_in_force(bank=bank, now=after) == 0
    assert in_force(bank, version) == 0.4
    asked: list[Bank] = []
    monkeypatch.setattr("banks.services.nudges.banks_of_this_node", lambda: [bank])
    monkeypatch.setattr("banks.tasks.protocol_step.apply_async", lambda *a, **k: None)
    monkeypatch.setattr(
        "banks.services.threshold_changes.put_due_in_force", lambda *, bank: asked.append(bank)
    )
    keep_time()
    assert asked == [bank], "the metronome looks"


def test_one_click_brings_back_what_was_in_force_before(
    bank: Bank, owner: Actor, lead: Actor, version: ModelVersion
) -> None:
    with pytest.raises(Refused):
        changes.roll_back(bank=bank, actor=lead, version_id=version.pk)
    change = proposed(bank, owner, version)
    changes.approve(bank=bank, actor=lead, change_id=change.pk)
    changes.roll_back(bank=bank, actor=lead, version_id=version.pk, reason="flooded")
    assert in_force(bank, version) == 0.9
    with pytest.raises(Refused) as refused:
        changes.roll_back(bank=bank, actor=lead, version_id=version.pk)
    assert refused.value.code == "nothing_before"


def test_figures_that_disagree_with_their_rows_block_a_proposal(bank: Bank, owner: Actor) -> None:
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get()
        rows = EvaluatedRows.objects.get()
        found = rows.evaluation
    change = proposed(bank, owner, version)
    assert sum(change.effect["after"].values()) == sum(found.fraud) + sum(found.genuine)
    changes.withdraw(bank=bank, actor=owner, change_id=change.pk)
    with bank_scope(bank.pk):
        labels = bytearray(rows.labels)
        labels[0] ^= 1
        EvaluatedRows.objects.update(labels=bytes(labels))
    with pytest.raises(Refused) as refused:
        proposed(bank, owner, version)
    assert refused.value.code == "figures_disagree"
