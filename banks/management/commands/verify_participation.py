"""`manage.py verify_participation FILE --bank UUID --coordinator KEY`: offline.

FILE is a bank's evidence file or its whole evidence pack (.zip).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from consortium.protocol.bundle import BundleReport, verify_bundle
from consortium.protocol.envelope import VerifyKey
from consortium.protocol.evidence_pack import verify_pack


class Command(BaseCommand):
    help = "Check a bank's evidence: rosters, log, receipts, freeze lists, cosigned heads, votes."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--bank", default="", help="the bank's UUID; needed without a pack")
        parser.add_argument("--coordinator", default="", help="the centre's signing key, hex; same")

    def handle(self, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}") from error
        bank, coordinator = options["bank"], options["coordinator"]
        if options["file"].suffix == ".zip":
            self._pack(content, bank, coordinator)
        elif not bank or not coordinator:
            raise CommandError("Say --bank and --coordinator: an evidence file cannot know them.")
        else:
            key = VerifyKey(coordinator)
            self._bundle(verify_bundle(content, bank=bank, coordinator=key))

    def _pack(self, content: bytes, bank: str, coordinator: str) -> None:
        key = VerifyKey(coordinator) if coordinator else None
        report = verify_pack(content, bank=bank, coordinator=key)
        if report.manifest is None:
            raise CommandError(f"Broken: {report.fault}")
        for name, bundle in report.bundles:
            self.stdout.write(name)
            self._bundle(bundle)
        files, votes = len(report.manifest.files), report.votes
        self.stdout.write(f"Whole: {files} files as the bank signed them, {votes} votes.")
        if not bank or not coordinator:
            self.stdout.write(
                f"By the pack's own word it is of bank {report.manifest.bank} and of the "
                f"coordinator {report.manifest.coordinator}: compare both."
            )

    def _bundle(self, report: BundleReport) -> None:
        for counted in report.rounds:
            state = "counted" if counted.frozen else "received"
            self.stdout.write(
                f"round {counted.round}  {counted.protocol}  log index {counted.log_index}  {state}"
            )
        if report.fault:
            fault = report.fault
            raise CommandError(
                f"Broken at line {fault.line} (byte {fault.offset}): {fault.sentence}"
            )
        self.stdout.write(
            f"Whole: {report.entries} log entries, {len(report.rounds)} receipts, "
            f"{len(report.cosigners)} cosigners."
        )
