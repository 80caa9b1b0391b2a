from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from banks.importing.errors import FileRefused, RowError
from banks.importing.reading import open_source
from banks.importing.rows import RowChecker
from banks.importing.survey import survey
from banks.ml.schema import Mapping

NOW = int(dt.datetime(2024, 6, 1, tzinfo=dt.UTC).timestamp() * 1_000_000)
CARDS = Mapping(
    columns={
        "id": "id",
        "time": "time",
        "account": "account",
        "counterparty": "shop",
        "amount": "amount",
        "label": "fraud",
    },
    zone="Asia/Tokyo",
    amount_digits=0,
)
HEADER = "id,time,account,shop,amount,fraud"
GOOD = "t1,2024-05-31T14:05:00,00123,NULL,1200,0"


@contextmanager
def refuses(*codes: str) -> Iterator[pytest.ExceptionInfo[FileRefused]]:
    """Expect a refusal with one of ``codes`` and a whole sentence."""
    with pytest.raises(FileRefused) as refusal:
        yield refusal
    assert refusal.value.code in codes
    assert "%(" not in str(refusal.value)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Write a file, read it whole through the real reader and checker."""

    def run(content: str | bytes, mapping: Mapping = CARDS, size: int = 3) -> SimpleNamespace:
        path = tmp_path / "data"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return run_path(path, mapping, size)

    def run_path(path: Path, mapping: Mapping, size: int = 3) -> SimpleNamespace:
        facts = survey(path)
        source = open_source(path, facts)
        mapping.check_source(list(source.columns))
        checker = RowChecker(mapping, facts.sha256, NOW)
        rows: list[dict[str, object]] = []
        errors: list[RowError] = []
        read = 0
        for batch in source.batches(mapping.source_columns(), size):
            checked = checker.check(batch)
            rows += checked.rows.to_dicts()
            errors += checked.errors
            read += checked.rows_read
        return SimpleNamespace(
            rows=rows, errors=errors, read=read, warnings=checker.warnings(), facts=facts
        )

    run.path = run_path  # type: ignore[attr-defined]
    return run
