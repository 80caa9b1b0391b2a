"""`manage.py standard_task`: print the standard payment model as JSON for a new task."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management import BaseCommand, CommandError

from banks.ml.courses import FAMILIES, standard_training
from banks.ml.features import FeaturePlan
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
        parser.add_argument("--family", choices=FAMILIES, default="mlp", help="the kind of model")
        parser.add_argument(
            "--signal", action="store_true", help="count what other banks know of counterparties"
        )
        parser.add_argument(
            "--first-stage",
            metavar="HASH",
            help="explain known frauds by the first stage of an earlier run; none: do not; "
            "by default the run learns one (not the perceptron)",
        )
        parser.add_argument(
            "--hidden", nargs="+", type=int, help="neurons of each hidden layer (mlp, elm)"
        )
        parser.add_argument(
            "--set",
            nargs="*",
            default=[],
            metavar="NAME=NUMBER",
            help="change numbers of the training plan, for example rounds=8 epochs=2",
        )

    def handle(self, **options: Any) -> None:
        try:
            plan = FeaturePlan(
                kind=options["kind"],
                label_delay_days=options["label_delay_days"],
                zone=options["zone"],
                extra=tuple(options["extra"]),
                joint=options["signal"],
            )
            task = standard_task(
                plan,
                family=options["family"],
                training=_training(options["family"], options["set"]),
                hidden=tuple(options["hidden"]) if options["hidden"] else None,
                first_stage="" if options["first_stage"] == "none" else options["first_stage"],
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(json.dumps(task, indent=2, ensure_ascii=False))


def _training(family: str, changes: list[str]) -> dict[str, Any]:
    """The family's standard plan with some numbers changed; a blend's parts by part.name."""
    plan = standard_training(family)
    for change in changes:
        name, _, number = change.partition("=")
        *parts, last = name.split(".")
        part = plan[parts[0]] if parts and parts[0] in plan else plan
        if last not in part or not number.isdigit():
            raise CommandError(f"“{change}” is not a number of this plan: {', '.join(plan)}.")
        part[last] = int(number)
    return plan
