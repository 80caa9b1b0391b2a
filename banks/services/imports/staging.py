"""The way of bulk rows into PostgreSQL: COPY into a private table, then one INSERT … SELECT.

COPY refuses tables with row-level security, and a private temporary table is where a file's rows
can be compared with each other and with what is stored before anybody sees one of them.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from banks.services import stale_pasts
from consortium.accounts.models import Bank

if TYPE_CHECKING:
    import polars as pl

FACTS = "time, account, counterparty, amount, currency, channel, extra"
COLUMNS = f"external_id, {FACTS}, label, label_known_at"
FETCH_ROWS = 10_000


@dataclass(frozen=True)
class Staging:
    """Rows of one file, seen by this connection only."""

    bank: Bank

    def add(self, rows: pl.DataFrame) -> None:
        """Append canonical rows (``importing.rows.Checked.rows``)."""
        buffer = io.BytesIO()
        _as_copied(rows).write_csv(buffer, include_header=False, quote_style="necessary")
        buffer.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f"COPY pg_temp.import_staging (line, {COLUMNS}) FROM STDIN (FORMAT csv)", buffer
            )

    def settle(self) -> None:
        """Call once after the last ``add``: gather what the checks below need."""
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute("ANALYZE pg_temp.import_staging")

    def repeated_ids(self) -> Iterator[tuple[int, str]]:
        """(line, id) of every row whose id another row of the file has too."""
        return self._rows(
            """
            SELECT line, external_id FROM pg_temp.import_staging WHERE external_id IN (
                SELECT external_id FROM pg_temp.import_staging
                GROUP BY external_id HAVING count(*) > 1
            ) ORDER BY line
            """
        )

    def conflicting_ids(self) -> Iterator[tuple[int, str]]:
        """(line, id) of every row that is stored already as another payment.

        Labels are not compared: they have a history of their own after import.
        """
        return self._rows(
            f"""
            SELECT s.line, s.external_id
            FROM pg_temp.import_staging s
            JOIN banks_transaction t ON t.bank_id = %s AND t.external_id = s.external_id
            WHERE ({_of("t")}) IS DISTINCT FROM ({_of("s")}) ORDER BY s.line
            """,  # noqa: S608
            str(self.bank.pk),
        )

    def remove(self, lines: list[int]) -> None:
        """Take rows out again."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM pg_temp.import_staging WHERE line = ANY(%s)", [lines])

    def other_labels(self) -> int:
        """How many rows are stored already with a different known label."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT count(*) FROM pg_temp.import_staging s
                JOIN banks_transaction t ON t.bank_id = %s AND t.external_id = s.external_id
                WHERE s.label IS NOT NULL AND s.label IS DISTINCT FROM t.label
                """,
                [self.bank.pk],
            )
            return int(cursor.fetchone()[0])

    def store(self, source: uuid.UUID) -> tuple[int, int]:
        """Insert the rows that are not stored yet: (inserted, already there).

        Must run in the bank's scope. A row that somebody stores at the same moment raises
        IntegrityError, so that the whole import can be tried again.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DELETE FROM pg_temp.import_staging s USING banks_transaction t
                WHERE t.bank_id = %s AND t.external_id = s.external_id
                """,
                [self.bank.pk],
            )
            already_there = cursor.rowcount
            cursor.execute(
                f"""
                INSERT INTO banks_transaction (bank_id, source_id, {COLUMNS})
                SELECT %s, %s, {COLUMNS} FROM pg_temp.import_staging
                """,  # noqa: S608
                [self.bank.pk, source],
            )
            inserted = cursor.rowcount
        stale_pasts.note_imported(self.bank)
        return inserted, already_there

    def _rows(self, query: str, *parameters: str) -> Iterator[tuple[int, str]]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(query, parameters)
            while rows := cursor.fetchmany(FETCH_ROWS):
                yield from rows


@contextmanager
def staging(bank: Bank) -> Iterator[Staging]:
    """A private table for one file; gone afterwards, whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.import_staging")
        cursor.execute(
            """
            CREATE TEMPORARY TABLE import_staging (
                line bigint NOT NULL, external_id text NOT NULL, time timestamptz NOT NULL,
                account text NOT NULL, counterparty text NOT NULL, amount bigint NOT NULL,
                currency text NOT NULL, channel text NOT NULL, extra float8[],
                label smallint, label_known_at timestamptz
            )
            """
        )
    try:
        yield Staging(bank)
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.import_staging")


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in FACTS.split(", "))


def _as_copied(rows: pl.DataFrame) -> pl.DataFrame:
    """In the order of the COPY, times and arrays as PostgreSQL writes them."""
    import polars as pl

    from banks.importing.batch import LINE
    from banks.ml.schema import EXTRA_PREFIX

    extra = [name for name in rows.columns if name.startswith(EXTRA_PREFIX)]
    numbers = [pl.col(name).cast(pl.String).fill_null("NULL") for name in extra]
    array = pl.format("{{{}}}", pl.concat_str(numbers, separator=",")) if extra else pl.lit(None)

    def instant(name: str) -> pl.Expr:
        return pl.from_epoch(name, "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias(name)

    return rows.select(
        LINE,
        "id",
        instant("time"),
        "account",
        "counterparty",
        "amount",
        "currency",
        "channel",
        array.alias("extra"),
        "label",
        instant("label_known_at"),
    )
