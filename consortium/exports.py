"""Tables to take along: CSV that Excel in Japan opens and that no spreadsheet executes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

BOM = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it (ASVS 1.2.10).

    Numbers stay numbers, negative ones too.
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value


def csv_text(*, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """With BOM and CRLF, formula-safe; to be written as UTF-8."""
    text = io.StringIO(newline="")
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def csv_response(
    *, file_name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]
) -> HttpResponse:
    """The table as a download."""
    text = csv_text(header=header, rows=rows)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
