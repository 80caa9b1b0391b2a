"""What a worker does with a confirmed file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from django.db import IntegrityError, connection
from django.utils import timezone

from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus, Transaction
from banks.services.imports import files
from banks.services.imports.receiving import imported_before
from banks.services.imports.staging import Staging, staging
from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import analyze, bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from banks.importing.reading import Source
    from banks.importing.report import ErrorReport
    from banks.importing.rows import RowChecker

log = structlog.get_logger(__name__)

REMOVED_AT_ONCE = 10_000


def run_import(
    *,
    bank: Bank,
    import_id: uuid.UUID,
    part: Callable[[Source], Source] | None = None,
) -> None:
    """Read a confirmed file and store its rows, or none of them; nothing if that was done.

    ``part`` narrows the file to some of its rows. Whatever is wrong with the file ends up in the
    Import row; only faults of the program itself are raised.
    """
    with _alone(import_id) as free:
        if not free or not _claim(bank, import_id):
            return
        with bank_scope(bank.pk):
            imported = Import.objects.get(pk=import_id)
        try:
            _read(bank, imported, part)
        except Refused as refused:
            _end(bank, imported, ImportStatus.REFUSED, refused)
        except IntegrityError:
            _end(bank, imported, ImportStatus.REFUSED, _overtaken())
        except Exception:
            log.exception("import_broke", imported=str(import_id))
            _end(bank, imported, ImportStatus.FAILED, _broke())
            raise


def _read(bank: Bank, imported: Import, part: Callable[[Source], Source] | None) -> None:
    from banks.importing.reading import open_source
    from banks.importing.report import ErrorReport
    from banks.importing.rows import RowChecker

    whole = open_source(Path(imported.file_path))
    source = part(whole) if part else whole
    mapping = Mapping.from_json(imported.mapping)
    checker = RowChecker(
        mapping, imported.file_sha256, files.now_in_microseconds(), bank.slug if not part else None
    )
    with ErrorReport(files.errors_path(bank, imported.pk)) as report, staging(bank) as rows:
        rows_read = _stage(bank, imported, source, checker, report, rows)
        with bank_scope(bank.pk):
            outcome = _store(imported, checker, report, rows) | {"rows_read": rows_read}
            _finish(bank, imported, **outcome)
    if outcome["status"] == ImportStatus.DONE:
        analyze(Transaction)  # autovacuum comes too late for the pages that people open next
        files.data_path(bank, imported.pk).unlink(missing_ok=True)


def _stage(
    bank: Bank,
    imported: Import,
    source: Source,
    checker: RowChecker,
    report: ErrorReport,
    rows: Staging,
) -> int:
    """Check every row and COPY the good ones; returns how many were read."""
    rows_read = 0
    for batch in source.batches(checker.mapping.source_columns()):
        checked = checker.check(batch)
        report.add(checked.errors)
        rows.add(checked.rows)
        rows_read += checked.rows_read
        _report_progress(
            bank, imported, rows_read=rows_read, rows_refused=report.rows, progress=batch.done
        )
    if rows_read == 0:
        raise Refused("no_rows", gettext_noop("The file has no rows."), field="file")
    return rows_read


def _store(
    imported: Import, checker: RowChecker, report: ErrorReport, rows: Staging
) -> dict[str, Any]:
    """Insert the rows if they may be inserted; what became of the import, as its columns."""
    with connection.cursor() as cursor:
        key = f"imports:{imported.bank_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    if imported_before(imported) is not None:
        raise Refused("same_file", gettext_noop("This very file was imported in the meantime."))
    rows.settle()
    id_column = checker.mapping.columns.get("id", "id")
    _refuse_ids(rows.repeated_ids(), id_column, "id_duplicate", report, rows)
    _refuse_ids(rows.conflicting_ids(), id_column, "id_conflict", report, rows)
    outcome: dict[str, Any] = {
        "rows_refused": report.rows,
        "first_errors": report.first,
        "errors_path": str(report.path) if report.rows else "",
        "warnings": _warnings(checker, rows),
    }
    if report.rows and not imported.good_rows_only:
        return outcome | {"status": ImportStatus.REFUSED} | _as_columns(_rows_refused(report.rows))
    inserted, already_there = rows.store(imported.pk)
    return outcome | {
        "status": ImportStatus.DONE,
        "rows_imported": inserted,
        "rows_already_there": already_there,
        "progress": 1.0,
    }


def _refuse_ids(
    found: Iterator[tuple[int, str]], column: str, rule: str, report: ErrorReport, rows: Staging
) -> None:
    """Report rows whose id cannot be stored, and take them out of the staging table."""
    from banks.importing.errors import RowError

    while few := list(islice(found, REMOVED_AT_ONCE)):
        report.add(RowError.of(line, column, value, rule) for line, value in few)
        rows.remove([line for line, _ in few])


def _warnings(checker: RowChecker, rows: Staging) -> list[dict[str, Any]]:
    found = [{"code": code, "params": params} for code, params in checker.warnings()]
    if differ := rows.other_labels():
        found.append({"code": "other_labels", "params": {"count": differ}})
    return found


@contextmanager
def _alone(import_id: uuid.UUID) -> Iterator[bool]:
    """Whether nobody else is reading this file; a dead worker's lock dies with its connection."""
    with connection.cursor() as cursor:
        key = [f"import:{import_id}"]
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key)
        free = bool(cursor.fetchone()[0])
        try:
            yield free
        finally:
            if free and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


def _claim(bank: Bank, import_id: uuid.UUID) -> bool:
    """Begin, or begin again after a worker that died; False if the import has ended."""
    with bank_scope(bank.pk):
        open_imports = Import.objects.filter(
            pk=import_id, status__in=[ImportStatus.WAITING, ImportStatus.CHECKING]
        ).exclude(mapping={})
        return (
            open_imports.update(
                status=ImportStatus.CHECKING,
                started_at=timezone.now(),
                finished_at=None,
                progress=0.0,
                failure_code="",
                failure="",
                failure_params={},
            )
            == 1
        )


def _report_progress(bank: Bank, imported: Import, **columns: object) -> None:
    with bank_scope(bank.pk):
        Import.objects.filter(pk=imported.pk, status=ImportStatus.CHECKING).update(**columns)


def _end(bank: Bank, imported: Import, status: str, refused: Refused) -> None:
    """Close an import that stored nothing, with the sentence that says why."""
    with bank_scope(bank.pk):
        _finish(bank, imported, status=status, **_as_columns(refused))


def _finish(bank: Bank, imported: Import, **columns: Any) -> None:
    """Write the outcome and its audit entry; call inside the bank's scope."""
    Import.objects.filter(pk=imported.pk, status=ImportStatus.CHECKING).update(
        finished_at=timezone.now(), **columns
    )
    audit.record(
        actor=system("import", bank=bank),
        verb="import.finished",
        target=imported,
        bank=bank,
        status=str(columns["status"]),
        rows_imported=columns.get("rows_imported", 0),
        rows_refused=columns.get("rows_refused", 0),
    )


def _as_columns(refused: Refused) -> dict[str, Any]:
    return {
        "failure_code": refused.code,
        "failure": refused.sentence,
        "failure_params": {name: str(value) for name, value in refused.params.items()},
    }


def _rows_refused(count: int) -> Refused:
    return Refused(
        "rows_refused",
        gettext_noop(
            "Rows that break a rule: %(count)s. Correct the file and bring it again, or import the "
            "good rows only."
        ),
        count=count,
    )


def _overtaken() -> Refused:
    return Refused(
        "overtaken",
        gettext_noop(
            "A transaction of this file was stored by somebody else at the same moment. Nothing "
            "was imported; start again."
        ),
    )


def _broke() -> Refused:
    return Refused(
        "import_broke",
        gettext_noop("The import stopped because of a fault in the program; nothing was imported."),
    )
