"""Streaming CSV: every value as text, every row with its line, memory bounded whatever comes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import polars as pl

from banks.importing.batch import BATCH_ROWS, LINE, Batch
from banks.importing.errors import FileRefused, RowError
from banks.importing.survey import Survey
from consortium.protocol.errors import gettext_noop

MAX_LINE = 1 << 20
MAX_COLUMNS = 1000


class CsvFile:
    """Comma-separated values with a header, quoted as in RFC 4180, any newline convention.

    Python's own reader does the splitting: it is exact, and a row with a field too many or too
    few is reported instead of shifted or padded.
    """

    def __init__(self, path: Path, survey: Survey) -> None:
        self._path = path
        self._survey = survey
        with self._path.open("rb") as raw, self._decoded(raw) as text:
            self.columns = self._header(_Records(text))

    def can_read(self, column: str) -> bool:
        """Every column of a text file is text."""
        return column in self.columns

    def batches(self, columns: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of ``columns`` as text, ``size`` rows at a time.

        Raises FileRefused at a line that cannot be split into fields at all.
        """
        wanted = [self.columns.index(name) for name in columns]
        width = len(self.columns)
        with self._path.open("rb") as raw, self._decoded(raw) as text:
            records = _Records(text)
            self._header(records)
            rows: list[list[str]] = []
            lines: list[int] = []
            errors: list[RowError] = []
            for line, row in records:
                if len(row) == width:
                    rows.append(row)
                    lines.append(line)
                elif row:
                    errors.append(_ragged(line, row, width))
                if len(rows) + len(errors) >= size:
                    yield self._batch(columns, wanted, rows, lines, errors, raw.tell())
                    rows, lines, errors = [], [], []
            if rows or errors:
                yield self._batch(columns, wanted, rows, lines, errors, raw.tell())

    def _decoded(self, raw: IO[bytes]) -> TextIOWrapper:
        return TextIOWrapper(raw, encoding=self._survey.encoding, newline="")

    def _header(self, records: _Records) -> tuple[str, ...]:
        for _line, row in records:
            if row:
                return _checked_header(row)
        raise FileRefused("file_empty", gettext_noop("The file is empty."), field="file")

    def _batch(
        self,
        columns: Sequence[str],
        wanted: Sequence[int],
        rows: list[list[str]],
        lines: list[int],
        errors: list[RowError],
        bytes_read: int,
    ) -> Batch:
        by_column = list(zip(*rows, strict=True)) if rows else [()] * len(self.columns)
        series = [pl.Series(LINE, lines, dtype=pl.Int64)]
        for name, place in zip(columns, wanted, strict=True):
            values = pl.Series(name, by_column[place], dtype=pl.String)
            series.append(values)
        frame = pl.DataFrame(series)
        empty_is_null = [pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in columns]
        return Batch(frame.with_columns(empty_is_null), errors, bytes_read / self._survey.size)


class _Records:
    """The rows of a CSV text, each with the line it starts on."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._reader = csv.reader(self._lines(), strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            line = self._reader.line_num + 1
            try:
                yield line, next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _broken(line, error) from error

    def _lines(self) -> Iterator[str]:
        number = 1
        while line := self._text.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
                raise FileRefused(
                    "line_too_long",
                    gettext_noop("Line %(line)s is longer than a million characters."),
                    field="file",
                    line=number,
                )
            yield line
            number += 1


def _checked_header(names: list[str]) -> tuple[str, ...]:
    if len(names) > MAX_COLUMNS:
        raise FileRefused(
            "header_too_wide",
            gettext_noop("The header has %(count)s columns; at most %(limit)s are read."),
            field="file",
            count=len(names),
            limit=MAX_COLUMNS,
        )
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|"):
        raise FileRefused(
            "delimiter",
            gettext_noop("The columns must be separated by commas. Export the file as CSV."),
            field="file",
        )
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise FileRefused(
                "header_blank",
                gettext_noop("Column %(place)s has no name in the header."),
                field="file",
                place=place,
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileRefused(
            "header_duplicate",
            gettext_noop("The header names a column twice: %(names)s."),
            field="file",
            names=", ".join(twice[:5]),
        )
    return tuple(names)


def _ragged(line: int, row: list[str], width: int) -> RowError:
    return RowError.of(line, "", f"{len(row)} ≠ {width}", "ragged")


def _broken(line: int, error: csv.Error) -> FileRefused:
    if "field limit" in str(error):
        return FileRefused(
            "field_too_large",
            gettext_noop(
                "The row starting on line %(line)s has a field of more than 131,072 characters; "
                "a closing quotation mark may be missing."
            ),
            field="file",
            line=line,
        )
    return FileRefused(
        "quotes",
        gettext_noop("The quotation marks of the row starting on line %(line)s do not match."),
        field="file",
        line=line,
    )
