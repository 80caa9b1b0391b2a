"""What every source yields."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from banks.importing.errors import RowError

LINE = "__line"
BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows as they stand in the file.

    ``frame`` has the column ``LINE`` (Int64, where the row stands, from 1) and the columns asked
    for; an empty CSV field is null. ``errors`` are rows that could not even be split into fields.
    ``done`` is the share of the file read so far, 0 to 1.
    """

    frame: pl.DataFrame
    errors: list[RowError] = field(default_factory=list)
    done: float = 0.0
