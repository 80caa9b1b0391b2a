"""The demo's chain on given transactions: import, Phase 0, Phase 1, figures for each bank."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import call_command

from aggregation.models import Task
from banks import wake
from banks.importing.splitting import read_banks_file
from banks.ml.features import FeaturePlan
from banks.ml.schema import DAY, Mapping
from banks.ml.training import TrainingPlan
from banks.ml.windows import Windows
from banks.models import BankSettings, Import, ImportStatus, RoundPart, TrainingRun
from banks.services import datasets, training
from banks.services.rounds.recipe import RunRecipe
from banks.services.rounds.standard import standard_task
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast, founding, summary, working
from consortium.demo.report import Outcome
from consortium.demo.story import told

FIRST_DAYS = 20  # rows this early have too little history behind them
Say = Callable[[str], None]


@dataclass(frozen=True)
class Rehearsal:
    """What to run on: files, and the days of each window (inclusive)."""

    transactions: list[Path]
    mapping: Path
    banks: Path
    train_until: str
    validate: str
    test: str
    label_delay: int
    rounds: int

    def windows(self, first: int, zone: str) -> Windows:
        """Half-open windows in µs; training begins when the data have some history."""

        def start(day: str, later: int = 0) -> int:
            moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo(zone))
            return int(moment.timestamp() * 1e6) + later * DAY

        (validate, until), (test, test_until) = (
            span.split(":") for span in (self.validate, self.test)
        )
        return Windows(
            train_from=first + FIRST_DAYS * DAY,
            train_until=start(self.train_until, 1),
            validation_from=start(validate),
            validation_until=start(until, 1),
            test_from=start(test),
            test_until=start(test_until, 1),
            label_delay=self.label_delay * DAY,
        )


def rehearse(plan: Rehearsal, *, address: str, say: Say) -> Outcome:
    """Run the chain; the summary's bank rows also say what each step took."""
    mapping = Mapping.from_json(plan.mapping.read_bytes())
    cast.fill_centre()
    slugs = sorted(set(read_banks_file(plan.banks, mapping.columns["account"]).values()))
    with told(say, f"{len(slugs)} banks join"):
        banks = [founding.join(slug, _title(slug), "", address) for slug in slugs]
    with told(say, "Importing"):
        import_seconds = _import(plan, banks, mapping)
    windows = plan.windows(datasets.first_moment(banks[0]), mapping.zone)
    task = _task(plan, mapping, windows)
    founding.sign(task, banks)
    with told(say, "Key ceremony"):
        founding.share_a_key(task, banks)
    with told(say, "Phase 0: every bank trains alone"):
        for bank in banks:
            _train_alone(bank, windows)
        working.wait(lambda: all(map(working.trained_alone, banks)), "Training alone")
    with told(say, f"Phase 1: {plan.rounds} encrypted rounds"):
        run = working.start_together(task)
        working.wait(lambda: working.learned_together(run, banks), "Training together")
    outcome = summary.outcome(banks, [run], address, alerts_expected=False)
    for row, bank in zip(outcome.banks, banks, strict=True):
        row |= {"import_seconds": import_seconds} | _steps(bank)
    return outcome


def _import(plan: Rehearsal, banks: list[Bank], mapping: Mapping) -> float:
    for bank in banks:
        with bank_scope(bank.pk):
            BankSettings.objects.filter(bank=bank).update(
                zone=mapping.zone, label_delay_days=plan.label_delay
            )
    began = time.monotonic()
    with bank_scope(banks[0].pk):
        done = Import.objects.filter(status=ImportStatus.DONE).exists()
    if not done:
        call_command(
            "import_transactions", *plan.transactions, mapping=plan.mapping, banks=plan.banks
        )
    return round(time.monotonic() - began, 1)


def _task(plan: Rehearsal, mapping: Mapping, windows: Windows) -> Task:
    known = Task.objects.filter(name=founding.TASK).first()
    features = FeaturePlan.for_mapping(mapping, label_delay_days=plan.label_delay)
    training = TrainingPlan(rounds=plan.rounds)
    proposed = standard_task(features, training=training.to_json())
    recipe = RunRecipe(features, training.to_json(), windows=windows.to_json())
    return known or Task.objects.create(
        name=founding.TASK,
        round_seconds=3600,
        **(proposed | {"recipe": recipe.to_json()}),
    )


def _train_alone(bank: Bank, windows: Windows) -> None:
    with bank_scope(bank.pk):
        if TrainingRun.objects.filter(phase=TrainingRun.Phase.ALONE).exists():
            return
    run = training.request_training(
        bank=bank, actor=cast.actor(bank, "models"), windows=windows.to_json()
    )
    wake.for_training(bank, run.pk)


def _steps(bank: Bank) -> dict[str, Any]:
    """Seconds of the steps alone, and of this bank's parts in the rounds."""
    with bank_scope(bank.pk):
        alone = TrainingRun.objects.filter(phase=TrainingRun.Phase.ALONE).first()
        parts = RoundPart.objects.order_by("created_at").values_list("purpose", "seconds")
        return {
            "alone_seconds": alone.timings if alone else {},
            "round_seconds": [{"step": step, **seconds} for step, seconds in parts],
        }


def _title(slug: str) -> str:
    return slug.replace("_", " ").title()
