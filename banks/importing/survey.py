"""The first look at a file: what kind it is, its encoding, its digest."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from banks.importing.errors import FileRefused
from consortium.protocol.errors import gettext_noop

CHUNK = 1 << 20
MAX_BYTES = 2 << 30

# What people upload by mistake, by the bytes such files start with.
OTHER_KINDS: dict[bytes, str] = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"ARROW1": "an Arrow IPC file",
    b"FEA1": "a Feather file",
    b"ORC": "an ORC file",
    b"SQLite format 3": "an SQLite database",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
}
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Python decodes these unassigned cp932 bytes to C1, no-break space and private use characters.
NOT_CP932 = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
# Japanese text in UTF-8 starts its characters with these bytes; cp932 text hardly ever forms them.
WIDE_UTF8 = re.compile(rb"[\xe0-\xf4]")


class FileKind(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a file before its first row is read.

    ``encoding`` is a Python codec name for CSV, None for Parquet. ``guessed`` says that the
    encoding was concluded from the bytes and should be shown to the user.
    """

    kind: FileKind
    size: int
    sha256: str
    encoding: str | None
    guessed: bool


def survey(path: Path) -> Survey:
    """Look at the whole of ``path`` once, in constant memory.

    Raises FileRefused for empty, oversized, encrypted and foreign files, for NUL bytes and for
    text that is neither strict UTF-8 nor strict cp932 (with the first bad line).
    """
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("file_empty", gettext_noop("The file is empty."), field="file")
    if size > MAX_BYTES:
        raise FileRefused(
            "file_too_large",
            gettext_noop("The file is larger than 2 GB. Split it, or upload it as Parquet."),
            field="file",
        )
    with path.open("rb") as file:
        head = file.read(16)
        file.seek(-min(4, size), 2)
        tail = file.read(4)
    if head.startswith(b"PAR1") or head.startswith(b"PARE"):
        return _survey_parquet(path, size, head, tail)
    _refuse_other_kinds(head)
    digest, encoding = _text_encoding(path)
    return Survey(FileKind.CSV, size, digest, encoding, guessed=encoding == "cp932")


def _survey_parquet(path: Path, size: int, head: bytes, tail: bytes) -> Survey:
    if b"PARE" in (head[:4], tail):
        raise FileRefused(
            "parquet_encrypted",
            gettext_noop("The Parquet file is encrypted. Upload it without encryption."),
            field="file",
        )
    if size < 12 or tail != b"PAR1":
        raise FileRefused(
            "parquet_damaged",
            gettext_noop("The Parquet file is cut off or damaged. Export it again."),
            field="file",
        )
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return Survey(FileKind.PARQUET, size, digest.hexdigest(), None, guessed=False)


def _refuse_other_kinds(head: bytes) -> None:
    for magic, what in OTHER_KINDS.items():
        if head.startswith(magic):
            raise FileRefused(
                "file_kind",
                gettext_noop("This is %(what)s. Upload a CSV or a Parquet file."),
                field="file",
                what=what,
            )
    if head.startswith(UTF16_MARKS):
        raise FileRefused(
            "encoding_utf16",
            gettext_noop("The file is UTF-16. Save it as “CSV UTF-8” and upload it again."),
            field="file",
        )


def _text_encoding(path: Path) -> tuple[str, str]:
    """The file's sha256 and its encoding: UTF-8 if it decodes strictly, else cp932 if that does.

    A file with Japanese UTF-8 characters before its first bad byte is damaged UTF-8, not cp932.
    """
    digest = hashlib.sha256()
    utf8_error: FileRefused | None = None
    wide = False
    pending = b""
    line = 1
    for chunk in _chunks(path):
        digest.update(chunk)
        if (nul := chunk.find(b"\0")) >= 0:
            raise _nul_refused(line + chunk.count(b"\n", 0, nul))
        if utf8_error is None:
            data = pending + chunk
            try:
                consumed = codecs.utf_8_decode(data, "strict")[1]
                pending = data[consumed:]
                wide = wide or WIDE_UTF8.search(data, 0, consumed) is not None
            except UnicodeDecodeError as error:
                wide = wide or WIDE_UTF8.search(data, 0, error.start) is not None
                bad_line = line + data.count(b"\n", 0, error.start)
                utf8_error = _encoding_refused(bad_line, data[error.start])
        line += chunk.count(b"\n")
    if utf8_error is None and pending:
        utf8_error = _encoding_refused(line, pending[0])
    if utf8_error is None:
        return digest.hexdigest(), "utf-8-sig"
    if wide or not _is_cp932(path):
        raise utf8_error
    return digest.hexdigest(), "cp932"


def _is_cp932(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("cp932")("strict")
    try:
        for chunk in _chunks(path):
            if NOT_CP932.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _nul_refused(line: int) -> FileRefused:
    return FileRefused(
        "nul_byte",
        gettext_noop("Line %(line)s contains a NUL byte, so this is not a text file."),
        field="file",
        line=line,
    )


def _encoding_refused(line: int, byte: int) -> FileRefused:
    return FileRefused(
        "encoding",
        gettext_noop(
            "Line %(line)s is neither UTF-8 nor Shift_JIS (cp932): byte %(byte)s does not fit. "
            "Save the file as UTF-8."
        ),
        field="file",
        line=line,
        byte=f"0x{byte:02X}",
    )
