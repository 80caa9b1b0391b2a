"""`manage.py standard_task`: print the standard payment model as JSON for a new task."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management import BaseCommand, CommandError

from banks.ml.features import FeaturePlan
from banks.ml.models.mlp import DEFAULT_HIDDEN
from banks.ml.training import TrainingPlan
from banks.services.rounds.standard import standard_task
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = "Print the standard payment model, to paste or upload where the operator makes a task."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--kind",
            choices=["behaviour", "ready"],
            default="behaviour",
            help="behaviour: features are built from transactions; ready: the files bring them",
        )
        parser.add_argument(
            "--extra", nargs="*", default=[], metavar="NAME", help="further numeric columns"
        )
        parser.add_argument("--label-delay-days", type=int, default=7)
        parser.add_argument("--zone", default="Asia/Tokyo", help="whose wall clock days begin on")
        parser.add_argument("--hidden", nargs="+", type=int, default=list(DEFAULT_HIDDEN))
        parser.add_argument("--epochs", type=int, default=TrainingPlan.epochs)

    def handle(self, **options: Any) -> None:
        try:
            plan = FeaturePlan(
                kind=options["kind"],
                label_delay_days=options["label_delay_days"],
                zone=options["zone"],
                extra=tuple(options["extra"]),
            )
            training = TrainingPlan.from_json(
                TrainingPlan().to_json() | {"epochs": options["epochs"]}
            )
            task = standard_task(plan, training=training, hidden=tuple(options["hidden"]))
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(json.dumps(task, indent=2, ensure_ascii=False))
