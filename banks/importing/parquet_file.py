"""Streaming Parquet through the guarded decoder process."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import polars as pl

from banks.importing.batch import BATCH_ROWS, LINE, Batch
from banks.importing.errors import FileRefused
from consortium.protocol.errors import gettext_noop

DECODER = Path(__file__).with_name("parquet_decoder.py")
READABLE = (
    "String", "Categorical", "Enum", "Boolean", "Null",
    "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64",
    "Float32", "Float64", "Decimal", "Datetime", "Date",
)  # fmt: skip


class ParquetFile:
    """A flat Parquet file; only the columns asked for are ever decoded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows, self._types = self._schema()
        self.columns = tuple(self._types)
        if self.rows == 0:
            raise FileRefused("no_rows", gettext_noop("The file has no rows."), field="file")

    def can_read(self, column: str) -> bool:
        """Whether the column is flat and of a type that a value can have."""
        return self._types[column].split("(")[0] in READABLE

    def batches(self, columns: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows of ``columns`` with their Parquet types, about ``size`` rows at a time.

        Raises FileRefused for nested or binary columns, for a file larger than promised and for
        a damaged one.
        """
        for name in columns:
            self._refuse_unreadable(name)
        line = 1
        with self._decoder("rows", str(size), json.dumps(list(columns))) as process:
            try:
                for frame in _frames(process.stdout):
                    yield Batch(
                        frame.with_row_index(LINE, offset=line).with_columns(
                            pl.col(LINE).cast(pl.Int64)
                        ),
                        done=min(1.0, (line + frame.height) / self.rows),
                    )
                    line += frame.height
            finally:
                process.kill()

    def _schema(self) -> tuple[int, dict[str, str]]:
        """Row count, and each column's Polars type by name."""
        with self._decoder("schema") as process:
            answer, _ = process.communicate()
        if process.returncode != 0:
            raise _damaged()
        body = json.loads(answer)
        if "refused" in body:
            raise FileRefused(
                "parquet_too_large",
                gettext_noop("The file has %(count)s %(what)s; at most %(limit)s are read."),
                field="file",
                what=body["refused"],
                count=body["count"],
                limit=body["limit"],
            )
        return body["rows"], body["columns"]

    def _decoder(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", str(DECODER), command, str(self._path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _refuse_unreadable(self, name: str) -> None:
        if not self.can_read(name):
            raise FileRefused(
                "parquet_type",
                gettext_noop("Column %(column)s has the type %(type)s, which cannot be imported."),
                field="file",
                column=name,
                type=self._types[name],
            )


def _frames(stream: IO[bytes] | None) -> Iterator[pl.DataFrame]:
    assert stream is not None  # noqa: S101 - Popen was given a pipe
    while len(prefix := stream.read(8)) == 8:
        length = int.from_bytes(prefix, "big")
        if length == 0:
            return
        body = stream.read(length)
        if len(body) != length:
            break
        yield pl.read_ipc_stream(io.BytesIO(body))
    raise _damaged()


def _damaged() -> FileRefused:
    return FileRefused(
        "parquet_damaged",
        gettext_noop(
            "The Parquet file is damaged, or needs more memory than is allowed. Export it again, "
            "as flat columns in row groups of up to a million rows."
        ),
        field="file",
    )
