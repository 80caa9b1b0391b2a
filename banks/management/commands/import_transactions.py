"""Import files for one bank, or one source split among several: the upload page's own service."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from banks.importing.splitting import Part, parts_by_account, parts_by_bank, read_banks_file
from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus
from banks.services import imports
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="CSV or Parquet")
        parser.add_argument("--mapping", required=True, type=Path, help="JSON: columns to roles")
        parser.add_argument("--good-rows", action="store_true", help="leave bad rows out")
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--bank", metavar="SLUG", help="all rows are this bank's")
        whose.add_argument("--banks", type=Path, metavar="FILE", help="a table of account → bank")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            mapping = Mapping.from_json(options["mapping"].read_bytes())
            banks_file, slug = options["banks"], options["bank"]
            ended = [
                self._import(bank, path, mapping, part, good_rows_only=options["good_rows"])
                for path in options["data"]
                for bank, part in _shares(path, mapping, slug, banks_file)
            ]
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        if not all(ended):
            raise CommandError("Not every file was imported; see above.")

    def _import(
        self, bank: Bank, path: Path, mapping: Mapping, part: Part | None, *, good_rows_only: bool
    ) -> bool:
        started = time.monotonic()
        imported = imports.start_import(
            bank=bank,
            file=path,
            mapping=mapping,
            actor=system("import_transactions", bank=bank),
            good_rows_only=good_rows_only,
        )
        imports.run_import(bank=bank, import_id=imported.pk, part=part)
        with bank_scope(bank.pk):
            imported.refresh_from_db()
        seconds = time.monotonic() - started
        self.stdout.write(f"{bank.slug}  {path.name}: {_outcome(imported)} in {seconds:.1f} s")
        return imported.status == ImportStatus.DONE


def _shares(
    path: Path, mapping: Mapping, slug: str | None, banks_file: Path | None
) -> list[tuple[Bank, Part | None]]:
    """Each bank that gets rows of the file, with what picks them."""
    if slug:
        return [(_bank(slug), None)]
    if banks_file:
        account = mapping.columns.get("account", "")
        parts = parts_by_account(path, account, read_banks_file(banks_file, account))
    elif "bank" in mapping.columns:
        parts = parts_by_bank(path, mapping.columns["bank"])
    else:
        raise CommandError("Say whose rows these are: --bank, --banks, or a mapped bank column.")
    return [(_bank(name), part) for name, part in parts.items()]


def _bank(name: str) -> Bank:
    """By slug; a slug has hyphens where a file may have underscores."""
    found = Bank.objects.filter(slug__in=[name, name.replace("_", "-")]).first()
    if found is None:
        raise CommandError(f"There is no bank {name!r}.")
    return found


def _outcome(imported: Import) -> str:
    counts = (
        f"{imported.rows_read:,} rows read, {imported.rows_imported:,} imported, "
        f"{imported.rows_already_there:,} already there, {imported.rows_refused:,} refused"
    )
    if imported.status == ImportStatus.DONE:
        return counts
    reason = imported.failure % imported.failure_params
    where = f" Errors: {imported.errors_path}" if imported.errors_path else ""
    return f"{counts}. {reason}{where}"
