"""What a bank's workers do: ids in, one service call, the next nudge. Rows are the truth."""

from __future__ import annotations

import uuid

from celery import shared_task

from banks import wake
from banks.services import (
    batch_scoring,
    carrying,
    imports,
    label_files,
    monitor,
    nudges,
    threshold_changes,
    training,
)
from banks.services.gifts import models as given_models
from banks.services.rounds import ceremony, contribution, outcome, steps
from banks.services.rounds.estimates import rehearsing
from banks.services.rounds.node import Node
from banks.services.signal import price
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, User


@shared_task
def keep_time() -> None:
    """The metronome: start what is due, pick up what was dropped."""
    for bank in nudges.banks_of_this_node():
        protocol_step.apply_async((str(bank.pk),), queue=f"{bank.slug}.protocol", expires=10)
        threshold_changes.put_due_in_force(bank=bank)
        for run_id in nudges.due_trainings(bank):
            wake.for_training(bank, run_id)
        for import_id in nudges.due_imports(bank):
            wake.for_import(bank, import_id)
        if label_files.waiting(bank):
            wake.for_labels(bank)
        if batch_scoring.waiting_imports(bank):
            wake.for_scoring(bank)
        if carrying.due(bank):
            wake.for_carrying(bank)
        if monitor.due(bank):
            wake.for_monitor(bank)
        if rehearsing.waiting(bank):
            wake.for_rehearsal(bank)


@shared_task
def train_alone(bank_id: str, run_id: str) -> None:
    training.run_training(bank=Bank.objects.get(pk=bank_id), run_id=run_id)


@shared_task
def read_import(bank_id: str, import_id: str) -> None:
    bank = Bank.objects.get(pk=bank_id)
    imports.run_import(bank=bank, import_id=uuid.UUID(import_id))
    wake.for_scoring(bank)


@shared_task
def read_labels(bank_id: str) -> None:
    bank = Bank.objects.get(pk=bank_id)
    for file_id in label_files.waiting(bank):
        label_files.take_in(bank=bank, file_id=file_id)


@shared_task
def score_imports(bank_id: str) -> None:
    batch_scoring.score_waiting(bank=Bank.objects.get(pk=bank_id))


@shared_task
def carry_forward(bank_id: str) -> None:
    bank = Bank.objects.get(pk=bank_id)
    if carrying.due(bank):
        carrying.carry_forward(bank=bank)


@shared_task
def follow_days(bank_id: str) -> None:
    monitor.follow(bank=Bank.objects.get(pk=bank_id))


@shared_task
def protocol_step(bank_id: str, token: int | None = None) -> None:
    """One step of the protocol; the chain goes on while the coordinator has duties."""
    bank = Bank.objects.get(pk=bank_id)
    lease = steps.begin(bank, token)
    if lease is None:
        return
    step = steps.take(bank)
    for part_id in step.to_train:
        prepare_upload.apply_async((bank_id, part_id), queue=f"{bank.slug}.train")
    for candidate in step.to_vote:
        test_candidate.apply_async((bank_id, *candidate), queue=f"{bank.slug}.train")
    for run in step.to_adopt:
        adopt_version.apply_async((bank_id, run), queue=f"{bank.slug}.train")
    for gift_id in step.to_install:
        install_gift.apply_async((bank_id, gift_id), queue=f"{bank.slug}.train")
    if step.again_after is None:
        steps.end(bank, lease)
    else:
        protocol_step.apply_async(
            (bank_id, lease), queue=f"{bank.slug}.protocol", countdown=step.again_after
        )


@shared_task
def prepare_upload(bank_id: str, part_id: int) -> None:
    contribution.prepare_upload(Node(Bank.objects.get(pk=bank_id)), part_id)


@shared_task
def test_candidate(bank_id: str, task: str, run: str, model: str) -> None:
    outcome.vote(Node(Bank.objects.get(pk=bank_id)), task=task, run=run, candidate=model)


@shared_task
def adopt_version(bank_id: str, run: str) -> None:
    outcome.adopt(Node(Bank.objects.get(pk=bank_id)), run)


@shared_task
def install_gift(bank_id: str, gift_id: int) -> None:
    given_models.install(Node(Bank.objects.get(pk=bank_id)), gift_id)


@shared_task
def rehearse(bank_id: str) -> None:
    rehearsing.rehearse_waiting(Bank.objects.get(pk=bank_id))


@shared_task
def measure_signal(bank_id: str) -> None:
    price.measure_if_possible(Bank.objects.get(pk=bank_id))


@shared_task
def hold_ceremony(bank_id: str, task: str, user_id: int) -> None:
    bank, user = Bank.objects.get(pk=bank_id), User.objects.get(pk=user_id)
    ceremony.hold(Node(bank), task=task, actor=Actor(str(user), user=user, bank=bank))
