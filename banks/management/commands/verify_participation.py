"""`manage.py verify_participation FILE --bank UUID --coordinator KEY`: offline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from consortium.protocol.bundle import verify_bundle
from consortium.protocol.envelope import VerifyKey


class Command(BaseCommand):
    help = "Check a bank's evidence file: rosters, log, receipts, freeze lists, cosigned heads."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--bank", required=True, help="the bank's UUID")
        parser.add_argument("--coordinator", required=True, help="the centre's signing key, hex")

    def handle(self, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}") from error
        report = verify_bundle(
            content, bank=options["bank"], coordinator=VerifyKey(options["coordinator"])
        )
        for counted in report.rounds:
            state = "counted" if counted.frozen else "received"
            self.stdout.write(f"round {counted.round}  log index {counted.log_index}  {state}")
        if report.fault:
            fault = report.fault
            raise CommandError(
                f"Broken at line {fault.line} (byte {fault.offset}): {fault.sentence}"
            )
        self.stdout.write(
            f"Whole: {report.entries} log entries, {len(report.rounds)} receipts, "
            f"{len(report.cosigners)} cosigners."
        )
