"""Labels that come back in a file: late chargebacks and corrections.

Every row is kept as a further word about its payment; the word that became known last is the
payment's label. Nothing counts while a row is wrong, unless the good rows are asked for.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import connection
from django.utils import timezone

from banks.models import BankSettings, ImportStatus, LabelFile
from banks.services import stale_pasts
from banks.services.imports import files
from banks.services.imports.looking import outside
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    import polars as pl

    from banks.importing.report import ErrorReport
    from banks.services.imports.files import UploadedFile

log = structlog.get_logger(__name__)

TEMPORARY: Final = """
    CREATE TEMPORARY TABLE label_staging (
        line bigint NOT NULL, external_id text NOT NULL, label smallint,
        known_at timestamptz NOT NULL, kind text NOT NULL
    )
"""
MATCHED: Final = """
    pg_temp.label_staging s
    JOIN banks_transaction t ON t.bank_id = %(bank)s AND t.external_id = s.external_id
"""
# Rule, then the rows that break it; each leaves the staging table before the next is looked for.
CHECKS: Final = (
    (
        "id_duplicate",
        """SELECT line, external_id FROM pg_temp.label_staging WHERE external_id IN (
            SELECT external_id FROM pg_temp.label_staging GROUP BY 1 HAVING count(*) > 1
        ) ORDER BY line""",
    ),
    (
        "id_not_stored",
        """SELECT s.line, s.external_id FROM pg_temp.label_staging s
        LEFT JOIN banks_transaction t ON t.bank_id = %(bank)s AND t.external_id = s.external_id
        WHERE t.id IS NULL ORDER BY s.line""",
    ),
    (
        "label_known_before_payment",
        f"SELECT s.line, s.known_at FROM {MATCHED}"  # noqa: S608
        " WHERE s.known_at < t.time ORDER BY s.line",
    ),
)
SAID_BEFORE: Final = f"""
    DELETE FROM pg_temp.label_staging WHERE line IN (
        SELECT s.line FROM {MATCHED} JOIN banks_labelevent e ON e.transaction_id = t.id
        WHERE e.value IS NOT DISTINCT FROM s.label AND e.known_at = s.known_at
            AND e.source = s.kind
    )
"""  # noqa: S608 - the words above
SAY: Final = f"""
    INSERT INTO banks_labelevent
        (bank_id, transaction_id, value, source, reason, known_at, said_by_id, file_id)
    SELECT %(bank)s, t.id, s.label, s.kind, %(reason)s, s.known_at, %(user)s, %(file)s
    FROM {MATCHED}
"""  # noqa: S608
# What became known last counts; a label without a time was known before any of these.
CHANGE: Final = """
    UPDATE banks_transaction t
    SET label = s.label, label_known_at = CASE WHEN s.label IS NULL THEN NULL ELSE s.known_at END
    FROM pg_temp.label_staging s
    WHERE t.bank_id = %(bank)s AND t.external_id = s.external_id
        AND s.known_at >= coalesce(t.label_known_at, '-infinity')
        AND (t.label, t.label_known_at) IS DISTINCT FROM
            (s.label, CASE WHEN s.label IS NULL THEN NULL ELSE s.known_at END)
    RETURNING t.id
"""


def receive(
    *,
    bank: Bank,
    file: UploadedFile | Path,
    actor: Actor,
    good_rows_only: bool = False,
) -> LabelFile:
    """Keep a file of labels for the worker; the caller wakes it after the commit.

    The file that was taken in before is not taken in again: what became of it is returned. Raises
    Refused, keeping nothing, for what is neither CSV nor Parquet or lacks a column.
    """
    from banks.importing.labels import LabelChecker

    found = LabelFile(
        bank=bank,
        file_name=files.display_name(file),
        good_rows_only=good_rows_only,
        created_by=actor.user,
    )
    path = files.data_path(bank, found.pk)
    try:
        files.keep(file, path)
        facts = outside(path=path)
        LabelChecker.for_columns(facts.columns, zone="UTC", now=0)
        found.file_path, found.file_sha256 = str(path), facts.sha256
        with bank_scope(bank.pk):
            if earlier := _taken_in_before(found):
                path.unlink()
                return earlier
            found.save(force_insert=True)
            audit.record(actor=actor, verb="labels.received", target=found, bank=bank)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return found


def take_good_rows(*, bank: Bank, file_id: uuid.UUID, actor: Actor) -> LabelFile:
    """Read a refused file once more, leaving its bad rows out; the caller wakes the worker."""
    with bank_scope(bank.pk):
        again = LabelFile.objects.filter(
            bank=bank, pk=file_id, status=ImportStatus.REFUSED, failure_code="rows_refused"
        ).update(status=ImportStatus.WAITING, good_rows_only=True, failure="", failure_code="")
        if not again:
            raise Refused(
                "no_file",
                gettext_noop("There is no such refused file; it may be read already."),
            )
        found = LabelFile.objects.get(pk=file_id)
        audit.record(actor=actor, verb="labels.good_rows", target=found, bank=bank)
    return found


def waiting(bank: Bank) -> list[uuid.UUID]:
    """Files that a worker should read; in no scope."""
    with bank_scope(bank.pk):
        files_waiting = LabelFile.objects.filter(bank=bank, status=ImportStatus.WAITING)
        return list(files_waiting.order_by("created_at").values_list("pk", flat=True))


def take_in(*, bank: Bank, file_id: uuid.UUID) -> None:
    """Read a waiting file: all of it becomes labels, or nothing; whoever calls, once."""
    from banks.importing.reading import open_source
    from banks.importing.report import ErrorReport

    with bank_scope(bank.pk):
        found = LabelFile.objects.filter(pk=file_id, status=ImportStatus.WAITING).first()
        zone = BankSettings.objects.filter(bank=bank).values_list("zone", flat=True).first()
    if found is None:
        return
    try:
        source = open_source(Path(found.file_path))
        with ErrorReport(files.errors_path(bank, found.pk)) as report, _staging():
            rows_read = _stage(source, zone or "UTC", report)
            with bank_scope(bank.pk):
                _store(_Work(bank, found, report, rows_read))
    except Refused as refused:
        with bank_scope(bank.pk):
            _finish(bank, found, status=ImportStatus.REFUSED, **_as_columns(refused))
    except Exception:
        log.exception("label_file_broke", file=str(file_id))
        with bank_scope(bank.pk):
            _finish(bank, found, status=ImportStatus.FAILED, **_as_columns(_broke()))
        raise


@dataclass(frozen=True)
class _Work:
    bank: Bank
    file: LabelFile
    report: ErrorReport
    rows_read: int

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "bank": self.bank.pk,
            "reason": self.file.file_name,
            "user": self.file.created_by_id,
            "file": self.file.pk,
        }


def _stage(source: Any, zone: str, report: ErrorReport) -> int:
    """Check every row and COPY the good ones; returns how many were read."""
    from banks.importing.labels import LabelChecker

    checker = LabelChecker.for_columns(source.columns, zone=zone, now=files.now_in_microseconds())
    rows_read = 0
    for batch in source.batches(tuple(checker.names.values())):
        checked = checker.check(batch)
        report.add(checked.errors)
        rows_read += checked.rows_read
        _copy(checked.rows)
    if rows_read == 0:
        raise Refused("no_rows", gettext_noop("The file has no rows."), field="file")
    return rows_read


def _copy(rows: pl.DataFrame) -> None:
    import polars as pl

    known = pl.from_epoch("known_at", "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    buffer = io.BytesIO()
    rows.with_columns(known).write_csv(buffer, include_header=False, quote_style="necessary")
    buffer.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY pg_temp.label_staging FROM STDIN (FORMAT csv)", buffer)


def _store(work: _Work) -> None:
    """Refuse, or say every word and let the newest count; call in the bank's scope."""
    with connection.cursor() as cursor:
        key = f"labels:{work.bank.pk}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        if not LabelFile.objects.filter(pk=work.file.pk, status=ImportStatus.WAITING).exists():
            return
        if _taken_in_before(work.file):
            raise Refused("same_file", gettext_noop("This very file was imported in the meantime."))
        _check_against_stored(cursor, work)
        outcome = {
            "rows_read": work.rows_read,
            "rows_refused": work.report.rows,
            "first_errors": work.report.first,
            "errors_path": str(work.report.path) if work.report.rows else "",
        }
        if work.report.rows and not work.file.good_rows_only:
            refused = _as_columns(_rows_refused(work.report.rows))
            _finish(work.bank, work.file, status=ImportStatus.REFUSED, **outcome, **refused)
            return
        cursor.execute(SAID_BEFORE, work.parameters)
        already = cursor.rowcount
        cursor.execute(SAY, work.parameters)
        said = cursor.rowcount
        cursor.execute(CHANGE, work.parameters)
        changed = [key for (key,) in cursor.fetchall()]
    stale_pasts.note_transactions(work.bank, changed)
    _finish(
        work.bank,
        work.file,
        status=ImportStatus.DONE,
        rows_said=said,
        rows_already_said=already,
        rows_changed=len(changed),
        **outcome,
    )


def _check_against_stored(cursor: Any, work: _Work) -> None:
    from banks.importing.errors import RowError

    for rule, query in CHECKS:
        cursor.execute(query, work.parameters)
        found = cursor.fetchall()
        column = "known_at" if rule == "label_known_before_payment" else "transaction_id"
        work.report.add(RowError.of(line, column, value, rule) for line, value in found)
        lines = [line for line, _value in found]
        cursor.execute("DELETE FROM pg_temp.label_staging WHERE line = ANY(%s)", [lines])


@contextmanager
def _staging() -> Iterator[None]:
    """A private table for one file; gone afterwards, whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.label_staging")
        cursor.execute(TEMPORARY)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.label_staging")


def _taken_in_before(found: LabelFile) -> LabelFile | None:
    same = LabelFile.objects.filter(
        bank=found.bank, file_sha256=found.file_sha256, status=ImportStatus.DONE
    )
    return same.exclude(pk=found.pk).first()


def _finish(bank: Bank, found: LabelFile, **columns: Any) -> None:
    """Write the outcome and its audit entry; call inside the bank's scope."""
    ended = LabelFile.objects.filter(pk=found.pk, status=ImportStatus.WAITING).update(
        finished_at=timezone.now(), **columns
    )
    if ended:
        audit.record(
            actor=system("labels", bank=bank),
            verb="labels.taken_in",
            target=found,
            bank=bank,
            status=str(columns["status"]),
            said=columns.get("rows_said", 0),
            refused=columns.get("rows_refused", 0),
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


def _broke() -> Refused:
    return Refused(
        "labels_broke",
        gettext_noop("Reading stopped because of a fault in the program; no label has changed."),
    )
