"""Decode an untrusted Parquet file in a process of its own, under a memory ceiling.

Run as a script by ``parquet_file``; imports nothing of this project. A footer may promise any
size and a page may unpack to gigabytes, so the native decoder gets a process it may kill.

    parquet_decoder.py schema PATH              one line of JSON
    parquet_decoder.py rows PATH SIZE COLUMNS   batches, each an 8-byte length and Arrow IPC

A length of 0 ends the rows; its absence means the decoder died.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from pathlib import Path

MEMORY_CEILING = 384 << 20
CPU_SECONDS = 600
MAX_TEXT_BYTES = 4096
MAX_ROWS = 20_000_000
MAX_COLUMNS = 1000
MAX_DECODED_BYTES = 8 << 30
TEXT_WIDTH = 16


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_CEILING, MEMORY_CEILING))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["POLARS_MAX_THREADS"] = "1"
    command, path, *rest = sys.argv[1:]
    if command == "schema":
        _answer(_schema(Path(path)))
    else:
        _rows(Path(path), int(rest[0]), json.loads(rest[1]))


def _schema(path: Path) -> dict[str, object]:
    """Columns with their types, and the row count, from the footer alone."""
    import polars as pl

    schema = pl.read_parquet_schema(path)
    if len(schema) > MAX_COLUMNS:
        return {"refused": "columns", "count": len(schema), "limit": MAX_COLUMNS}
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    if rows > MAX_ROWS:
        return {"refused": "rows", "count": rows, "limit": MAX_ROWS}
    return {"rows": rows, "columns": {name: str(dtype) for name, dtype in schema.items()}}


def _rows(path: Path, size: int, columns: list[str]) -> None:
    import polars as pl
    import polars.selectors as cs

    schema = pl.read_parquet_schema(path)
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    width = sum(_width(schema[name]) for name in columns)
    if rows > MAX_ROWS or rows * width > MAX_DECODED_BYTES:
        raise MemoryError
    frames = (
        pl.scan_parquet(path)
        .select(columns)
        .collect_batches(chunk_size=size, maintain_order=True, lazy=True)
    )
    for frame in frames:
        plain = frame.with_columns(cs.categorical().cast(pl.String), cs.enum().cast(pl.String))
        # A dictionary may repeat one huge text a million times: cut before it is written out.
        cut = plain.with_columns(
            pl.when(cs.string().str.len_bytes() > MAX_TEXT_BYTES)
            .then(cs.string().str.slice(0, MAX_TEXT_BYTES // 4))
            .otherwise(cs.string())
            .name.keep()
        )
        body = io.BytesIO()
        cut.write_ipc_stream(body)
        _write(body.getvalue())
    _write(b"")


def _width(dtype: object) -> int:
    import polars as pl

    if isinstance(dtype, pl.DataType) and (dtype.is_numeric() or dtype.is_temporal()):
        return 16 if dtype.is_decimal() else 8
    return TEXT_WIDTH


def _answer(body: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(body))


def _write(body: bytes) -> None:
    out = sys.stdout.buffer
    out.write(len(body).to_bytes(8, "big"))
    out.write(body)
    out.flush()


if __name__ == "__main__":
    main()
