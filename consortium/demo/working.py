"""A first day at the demo's banks: data come in, models are trained, alerts are decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.db import close_old_connections

from aggregation.models import ModelVersion as CentreVersion
from aggregation.models import Task, TrainingRun
from aggregation.services import runs
from banks import wake
from banks.ml.schema import Mapping
from banks.models import (
    Alert,
    BankSettings,
    Comparison,
    Import,
    ImportStatus,
    ModelVersion,
    ReasonCode,
)
from banks.models import TrainingRun as BankRun
from banks.services import alerts, imports, training, versions
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast

LOOK_EVERY = 0.5
LONGEST = 900.0


class Stuck(Exception):  # noqa: N818 - said to the person who started the demo
    """Something the demo waits for did not come."""


def wait(until: Callable[[], bool], what: str, *, seconds: float = LONGEST) -> None:
    """Look until it is so; ``Stuck`` says what never came."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            raise Stuck(f"{what} did not finish within {seconds:.0f} s; see the logs.")
        time.sleep(LOOK_EVERY)
        close_old_connections()


def hand_in(bank: Bank, file: Path, mapping: Mapping) -> None:
    """The model owner hands a file in; the bank's worker reads it."""
    imported = imports.start_import(
        bank=bank, file=file, mapping=mapping, actor=cast.actor(bank, "models")
    )
    wake.for_import(bank, imported.pk)


def imported(bank: Bank, files: int) -> bool:
    """Whether so many files of the bank have been read; ``Stuck`` when one was refused."""
    with bank_scope(bank.pk):
        refused = Import.objects.filter(
            status__in=[ImportStatus.REFUSED, ImportStatus.FAILED]
        ).first()
        if refused:
            raise Stuck(f"{bank}: {refused.file_name} was refused: {refused.first_errors[:1]}")
        return Import.objects.filter(status=ImportStatus.DONE).count() >= files


def train_alone(bank: Bank) -> None:
    """Phase 0, on the bank's own worker."""
    with bank_scope(bank.pk):
        if BankRun.objects.filter(phase=BankRun.Phase.ALONE).exists():
            return
    run = training.request_training(bank=bank, actor=cast.actor(bank, "models"))
    wake.for_training(bank, run.pk)


def trained_alone(bank: Bank) -> bool:
    with bank_scope(bank.pk):
        failed = BankRun.objects.filter(
            phase=BankRun.Phase.ALONE, status=BankRun.Status.FAILED
        ).first()
        if failed:
            raise Stuck(f"{bank} could not train alone: {failed.failure}")
        return ModelVersion.objects.filter(origin=ModelVersion.Origin.ALONE).exists()


def start_together(task: Task) -> TrainingRun:
    """Phase 1: the operator presses "run now"."""
    return TrainingRun.objects.filter(task=task).order_by("number").first() or runs.start_run(
        actor=cast.operator(), task=task
    )


def learned_together(run: TrainingRun, banks: list[Bank]) -> bool:
    """Whether the run is over and every bank has taken the model into use."""
    run.refresh_from_db()
    if run.state == TrainingRun.State.FAILED:
        raise Stuck(f"The run failed: {run.reason}")
    if run.state == TrainingRun.State.RUNNING:
        return False
    if CentreVersion.objects.filter(run=run, state=CentreVersion.State.REJECTED).exists():
        raise Stuck(f"The banks rejected the candidate of {run}.")
    return all(_has_version_of(bank, run) for bank in banks)


def _has_version_of(bank: Bank, run: TrainingRun) -> bool:
    of_run = {"origin": ModelVersion.Origin.CONSORTIUM, "run__consortium_run": run.pk}
    with bank_scope(bank.pk):
        return ModelVersion.objects.filter(**of_run).exists()


def choose_the_better(bank: Bank) -> None:
    """The model owner scores with the consortium's model where it is likely better than the own."""
    with bank_scope(bank.pk):
        found = (
            Comparison.objects.select_related("version")
            .filter(version__origin=ModelVersion.Origin.CONSORTIUM, difference_low__gt=0)
            .order_by("-difference", "-version__number")
            .first()
        )
        chosen = BankSettings.objects.values_list("scoring_version", flat=True).get()
    if found and chosen != found.version_id:
        versions.choose_scoring_version(
            bank=bank,
            actor=cast.actor(bank, "models"),
            version_id=found.version_id,
            reason="likely better on the test window",
        )


def scored(bank: Bank) -> bool:
    """Whether everything that came in has been scored."""
    with bank_scope(bank.pk):
        return not Import.objects.filter(status=ImportStatus.DONE, scored_at__isnull=True).exists()


def decide_some(bank: Bank, truth: dict[str, str]) -> int:
    """The analyst decides two thirds of the alerts; the rest wait for the visitor.

    ``truth`` names the typology of each fraudulent transaction by its id.
    """
    analyst = cast.actor(bank, "analyst")
    with bank_scope(bank.pk):
        if Alert.objects.filter(status=Alert.Status.DECIDED).exists():
            return 0
        waiting = list(Alert.objects.select_related("transaction").filter(status=Alert.Status.OPEN))
    for place, alert in enumerate(waiting):
        if place % 3 == 0:
            continue
        typology = truth.get(alert.transaction.external_id)
        alerts.claim(bank=bank, actor=analyst, alert_id=alert.pk)
        alerts.decide(
            bank=bank,
            actor=analyst,
            alert_id=alert.pk,
            disposition=Alert.Disposition.FRAUD if typology else Alert.Disposition.GENUINE,
            reason_code=typology or ReasonCode.CUSTOMER_CONFIRMED,
        )
    return len(waiting)
