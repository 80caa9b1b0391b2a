"""A look at a file before anything of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from banks.importing.look import look_apart
from banks.ml.schema import Mapping
from banks.services.imports.files import now_in_microseconds


@dataclass(frozen=True)
class Preview:
    """A look at the whole file and its first rows: nothing is stored.

    ``sample`` holds raw values by column; ``rows`` canonical ones and ``errors`` what
    ``Import.first_errors`` holds, both empty without a mapping.
    """

    size: int
    sha256: str
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
    return _look(path, rows=True, mapping=mapping)


def outside(*, path: Path) -> Preview:
    """What a file is and its columns; none of its rows is read."""
    return _look(path, rows=False, mapping=None)


def _look(path: Path, *, rows: bool, mapping: Mapping | None) -> Preview:
    found = look_apart(path, now_in_microseconds(), rows=rows, mapping=mapping)
    return Preview(**{**found, "columns": tuple(found["columns"])})
