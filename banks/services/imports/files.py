"""Where a bank's files lie, and how they get there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Protocol

from django.conf import settings

from consortium.accounts.models import Bank

COPY_CHUNK = 1 << 20
NAME_LENGTH = 200


class UploadedFile(Protocol):
    """What this needs of Django's uploaded files."""

    name: str | None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]: ...


def data_path(bank: Bank, import_id: uuid.UUID) -> Path:
    """Where a received file is kept; its name is ours, never the uploader's."""
    return _folder(bank) / f"{import_id}.data"


def errors_path(bank: Bank, import_id: uuid.UUID) -> Path:
    """Where the list of a file's errors is written."""
    return _folder(bank) / f"{import_id}-errors.csv"


def keep(file: UploadedFile | Path, path: Path) -> None:
    """Copy a file to ``path`` in constant memory."""
    with path.open("xb") as target:
        path.chmod(0o600)
        for chunk in _chunks(file):
            target.write(chunk)


def forget(bank: Bank, import_id: uuid.UUID) -> None:
    """Delete a received file and the list of its errors."""
    data_path(bank, import_id).unlink(missing_ok=True)
    errors_path(bank, import_id).unlink(missing_ok=True)


def display_name(file: UploadedFile | Path) -> str:
    """The uploader's file name, without folders and control characters, for people to see."""
    name = PurePath((file.name or "").replace("\\", "/")).name
    return "".join(sign for sign in name if sign.isprintable())[:NAME_LENGTH]


def now_in_microseconds() -> int:
    return time.time_ns() // 1000


def _chunks(file: UploadedFile | Path) -> Iterator[bytes]:
    if not isinstance(file, Path):
        yield from file.chunks()
        return
    with file.open("rb") as source:
        while chunk := source.read(COPY_CHUNK):
            yield chunk


def _folder(bank: Bank) -> Path:
    folder = Path(settings.DATA_DIR) / "banks" / bank.slug / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
