"""A look at a file before anything of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banks.ml.schema import Mapping
from banks.services.imports.files import now_in_microseconds

if TYPE_CHECKING:
    from banks.importing.reading import Source

PREVIEW_ROWS = 1_000
SHOWN_ROWS = 20


@dataclass(frozen=True)
class Preview:
    """A look at the first rows of a file: nothing is stored.

    ``sample`` holds raw values by column; ``rows`` canonical ones and ``errors`` what
    ``Import.first_errors`` holds, both empty without a mapping.
    """

    columns: tuple[str, ...]
    encoding: str
    encoding_guessed: bool
    sample: list[dict[str, Any]]
    suggested: dict[str, Any]
    rows: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    rows_checked: int


def preview(*, path: Path, mapping: Mapping | None = None) -> Preview:
    """Read the first rows of a file, with their errors where there is a mapping."""
    from banks.importing.reading import open_source
    from banks.importing.rows import RowChecker
    from banks.importing.suggesting import suggest
    from banks.importing.survey import survey

    facts = survey(path)
    source = open_source(path, facts)
    rows: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    checked_rows = 0
    if mapping is not None:
        mapping.check_source(list(source.columns))
        checker = RowChecker(mapping, facts.sha256, now_in_microseconds())
        batch = next(source.batches(mapping.source_columns(), PREVIEW_ROWS), None)
        if batch is not None:
            checked = checker.check(batch)
            rows = checked.rows.head(SHOWN_ROWS).to_dicts()
            errors = [error.as_json() for error in checked.errors[:SHOWN_ROWS]]
            checked_rows = checked.rows_read
    return Preview(
        columns=source.columns,
        encoding=facts.encoding or "",
        encoding_guessed=facts.guessed,
        sample=_sample(source),
        suggested=suggest(source.columns),
        rows=rows,
        errors=errors,
        rows_checked=checked_rows,
    )


def _sample(source: Source) -> list[dict[str, Any]]:
    """The first rows as they stand in the file."""
    from banks.importing.batch import LINE

    readable = [name for name in source.columns if source.can_read(name)]
    batch = next(source.batches(readable, SHOWN_ROWS), None)
    return batch.frame.drop(LINE).head(SHOWN_ROWS).to_dicts() if batch else []
