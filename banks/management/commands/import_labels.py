"""Take in files of late labels for one bank: the labels page's own service."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from banks.models import ImportStatus
from banks.services import label_files
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="CSV or Parquet")
        parser.add_argument("--bank", required=True, metavar="SLUG")
        parser.add_argument("--good-rows", action="store_true", help="leave bad rows out")

    def handle(self, *args: object, **options: Any) -> None:
        bank = Bank.objects.filter(slug=options["bank"]).first()
        if bank is None:
            raise CommandError(f"There is no bank {options['bank']!r}.")
        try:
            ended = [self._take_in(bank, path, options["good_rows"]) for path in options["data"]]
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        if not all(ended):
            raise CommandError("Not every file was taken in; see above.")

    def _take_in(self, bank: Bank, path: Path, good_rows_only: bool) -> bool:
        actor = system("import_labels", bank=bank)
        found = label_files.receive(
            bank=bank, file=path, actor=actor, good_rows_only=good_rows_only
        )
        label_files.take_in(bank=bank, file_id=found.pk)
        with bank_scope(bank.pk):
            found.refresh_from_db()
        said = (
            f"{found.rows_read:,} rows read, {found.rows_said:,} said, "
            f"{found.rows_already_said:,} known before, {found.rows_refused:,} refused"
        )
        if found.status != ImportStatus.DONE:
            said += f". {found.failure % found.failure_params} {found.errors_path}"
        self.stdout.write(f"{bank.slug}  {path.name}: {said}")
        return found.status == ImportStatus.DONE
