"""A bank brings a file: received, looked at, confirmed, then read by a worker, all or nothing.

    receive_file → preview (as often as the mapping changes) → confirm_import → run_import

A refused file stays in the bank's own folder until ``import_good_rows`` or ``discard_import``.
``run_import`` may be called again at any time: rows appear in one transaction at its end, so a
worker that died left nothing.
"""

from banks.services.imports.looking import Preview, preview
from banks.services.imports.receiving import (
    confirm_import,
    discard_import,
    import_good_rows,
    receive_file,
    save_mapping,
    start_import,
)
from banks.services.imports.running import run_import

__all__ = [
    "Preview",
    "confirm_import",
    "discard_import",
    "import_good_rows",
    "preview",
    "receive_file",
    "run_import",
    "save_mapping",
    "start_import",
]
