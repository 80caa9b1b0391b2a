"""`manage.py rehearse`: the demo's chain on data of one's own, split among banks by a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from consortium.demo.report import Outcome
from consortium.management.commands.demo import Command as Demo


class Command(Demo):
    help = (
        "Run the whole chain (join, import, train alone, encrypted rounds, evaluation) on given "
        "transactions, each bank with its own worker, on this machine."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--transactions", type=Path, nargs="+", required=True, metavar="FILE")
        parser.add_argument("--mapping", type=Path, required=True, metavar="FILE")
        parser.add_argument("--banks", type=Path, required=True, metavar="FILE")
        parser.add_argument("--train-until", required=True, metavar="DAY", help="last day of it")
        parser.add_argument("--validate", required=True, metavar="DAY:DAY")
        parser.add_argument("--test", required=True, metavar="DAY:DAY")
        parser.add_argument("--label-delay", type=int, default=7, metavar="DAYS")
        parser.add_argument("--rounds", type=int, default=5)

    def tell(self, address: str, options: dict[str, Any]) -> Outcome:
        from consortium.demo.rehearsal import Rehearsal, rehearse

        names = ("transactions", "mapping", "banks", "train_until", "validate", "test")
        plan = Rehearsal(
            **{name: options[name] for name in names},
            label_delay=options["label_delay"],
            rounds=options["rounds"],
        )
        return rehearse(plan, address=address, say=self.say)
