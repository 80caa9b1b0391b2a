"""Open a file, whatever kind it is, as one stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from banks.importing.batch import BATCH_ROWS, Batch
from banks.importing.csv_file import CsvFile
from banks.importing.parquet_file import ParquetFile
from banks.importing.survey import FileKind, Survey, survey


class Source(Protocol):
    """A table in a file: its column names, and its rows in batches that fit in memory."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def can_read(self, column: str) -> bool: ...

    def batches(self, columns: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]: ...


@dataclass(frozen=True, slots=True)
class RowsOfBank:
    """The rows of ``source`` whose ``column`` (as text) ``keep`` accepts, lines unchanged."""

    source: Source
    column: str
    keep: Callable[[pl.Expr], pl.Expr]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.source.columns

    def can_read(self, column: str) -> bool:
        return self.source.can_read(column)

    def batches(self, columns: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield only the kept rows; rows that could not be split are errors of every bank."""
        belongs = self.keep(pl.col(self.column).cast(pl.String))
        for batch in self.source.batches(columns, size):
            yield Batch(batch.frame.filter(belongs), batch.errors, batch.done)


def open_source(path: Path, facts: Survey | None = None) -> Source:
    """Open a CSV or Parquet file. Raises FileRefused with what is wrong and what to do."""
    facts = facts or survey(path)
    if facts.kind is FileKind.PARQUET:
        return ParquetFile(path)
    return CsvFile(path, facts)
