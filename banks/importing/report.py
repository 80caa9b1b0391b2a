"""The list of everything wrong in a file: the first errors at hand, all of them as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TextIO

from banks.importing.errors import RowError

SHOWN = 50
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class ErrorReport:
    """Collects row errors in constant memory; ``path`` exists only if there are any.

    ``first`` holds the first errors as JSON-safe dicts, ``rows`` counts the rows refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[dict[str, int | str]] = []
        self.rows = 0
        self._last_line = 0
        self._file: TextIO | None = None

    def __enter__(self) -> ErrorReport:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, errors: Iterable[RowError]) -> None:
        """Append errors in order of their lines; those of one row stand together."""
        for error in errors:
            self.rows += error.line != self._last_line
            self._last_line = error.line
            if len(self.first) < SHOWN:
                self.first.append(error.as_json())
            self._write(error)

    def _write(self, error: RowError) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(["line", "column", "value", "rule", "explanation"])
        row = (error.line, error.column, error.value, error.rule, error.sentence)
        csv.writer(self._file).writerow([_harmless(cell) for cell in row])


def _harmless(cell: object) -> object:
    """Keep a spreadsheet from running a value as a formula."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
