"""A look at a file in a process of its own: what it is, its columns, its first rows.

    python -m banks.importing.look PATH < {"rows": …, "mapping": …, "now": µs} > {…}

So the process that asks, a web server, never loads the table library, and no file can fill its
memory. ``look_apart`` is the asking side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from banks.ml.schema import Mapping
from consortium.protocol.errors import Refused, gettext_noop

ROOT: Final = Path(__file__).resolve().parents[2]
CHECKED_ROWS: Final = 1_000
SHOWN_ROWS: Final = 20


def look_apart(
    path: Path, now: int, *, rows: bool, mapping: Mapping | None = None
) -> dict[str, Any]:
    """What ``look`` returns, as JSON has it; raises the Refused that it raised."""
    asked = {"rows": rows, "mapping": mapping.to_json() if mapping else None, "now": now}
    found = subprocess.run(
        [sys.executable, "-m", "banks.importing.look", str(path.absolute())],
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | {"POLARS_MAX_THREADS": "1"},
        check=False,
    )
    if found.returncode != 0:
        raise Refused(
            "file_unreadable",
            gettext_noop("The file cannot be read. Export it again."),
            field="file",
        )
    answer: dict[str, Any] = json.loads(found.stdout)
    if refused := answer.get("refused"):
        raise Refused(
            refused["code"], refused["sentence"], field=refused["field"], **refused["params"]
        )
    return answer


def look(path: Path, now: int, *, rows: bool, mapping: Mapping | None) -> dict[str, Any]:
    """Read what the file is and, if asked, its first rows. Nothing is stored.

    ``sample`` holds raw values by column; ``rows`` canonical ones and ``errors`` what
    ``Import.first_errors`` holds, both empty without a mapping.
    """
    from banks.importing.reading import open_source
    from banks.importing.rows import RowChecker
    from banks.importing.suggesting import suggest
    from banks.importing.survey import survey

    facts = survey(path)
    source = open_source(path, facts)
    answer: dict[str, Any] = {
        "size": facts.size,
        "sha256": facts.sha256,
        "encoding": facts.encoding or "",
        "encoding_guessed": facts.guessed,
        "columns": source.columns,
        "suggested": suggest(source.columns),
        "sample": _sample(source) if rows else [],
        "rows": [],
        "errors": [],
        "rows_checked": 0,
    }
    if mapping is None:
        return answer
    mapping.check_source(list(source.columns))
    batch = next(source.batches(mapping.source_columns(), CHECKED_ROWS), None)
    if batch is not None:
        checked = RowChecker(mapping, facts.sha256, now).check(batch)
        answer["rows"] = checked.rows.head(SHOWN_ROWS).to_dicts()
        answer["errors"] = [error.as_json() for error in checked.errors[:SHOWN_ROWS]]
        answer["rows_checked"] = checked.rows_read
    return answer


def _sample(source: Any) -> list[dict[str, Any]]:
    """The first rows as they stand in the file."""
    from banks.importing.batch import LINE

    readable = [name for name in source.columns if source.can_read(name)]
    batch = next(source.batches(readable, SHOWN_ROWS), None)
    return batch.frame.drop(LINE).head(SHOWN_ROWS).to_dicts() if batch else []


def main() -> None:
    asked = json.load(sys.stdin)
    mapping = Mapping.from_json(asked["mapping"]) if asked["mapping"] else None
    try:
        answer = look(Path(sys.argv[1]), asked["now"], rows=asked["rows"], mapping=mapping)
    except Refused as refused:
        said = {name: getattr(refused, name) for name in ("code", "sentence", "field", "params")}
        answer = {"refused": said}
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    main()
