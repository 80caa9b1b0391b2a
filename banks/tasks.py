"""What a bank's workers do: ids in, one service call, the next nudge. Rows are the truth."""

from __future__ import annotations

from celery import shared_task

from banks.services import nudges, training
from banks.services.rounds import contribution, outcome, steps
from banks.services.rounds.node import Node
from consortium.accounts.models import Bank


@shared_task
def keep_time() -> None:
    """The metronome: start what is due, pick up what was dropped."""
    for bank in nudges.banks_of_this_node():
        protocol_step.apply_async((str(bank.pk),), queue=f"{bank.slug}.protocol", expires=10)
        for run_id in nudges.due_trainings(bank):
            train_alone.apply_async((str(bank.pk), str(run_id)), queue=f"{bank.slug}.train")


@shared_task
def train_alone(bank_id: str, run_id: str) -> None:
    training.run_training(bank=Bank.objects.get(pk=bank_id), run_id=run_id)


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
    for run in step.to_adopt:
        adopt_version.apply_async((bank_id, run), queue=f"{bank.slug}.train")
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
def adopt_version(bank_id: str, run: str) -> None:
    outcome.adopt(Node(Bank.objects.get(pk=bank_id)), run)
