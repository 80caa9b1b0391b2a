"""What people do with a file: hand it in, say how to read it, drop it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus, SourceMapping
from banks.services.imports import files
from banks.services.imports.looking import outside
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from banks.services.imports.files import UploadedFile


def receive_file(*, bank: Bank, file: UploadedFile | Path, actor: Actor) -> Import:
    """Keep an upload in the bank's own folder and look at what it is.

    Raises Refused, keeping nothing, for a file that is neither CSV nor Parquet or is damaged.
    """
    imported = Import(bank=bank, file_name=files.display_name(file), created_by=actor.user)
    path = files.data_path(bank, imported.pk)
    try:
        files.keep(file, path)
        facts = outside(path=path)
        imported.file_path = str(path)
        imported.file_sha256 = facts.sha256
        imported.file_bytes = facts.size
        imported.encoding = facts.encoding
        with bank_scope(bank.pk):
            imported.save(force_insert=True)
            audit.record(
                actor=actor, verb="import.received", target=imported, bank=bank, bytes=facts.size
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return imported


def start_import(
    *,
    bank: Bank,
    file: UploadedFile | Path,
    mapping: Mapping,
    actor: Actor,
    good_rows_only: bool = False,
) -> Import:
    """Receive a file and confirm it at once; the caller wakes the worker after the commit.

    A file that was imported before is not imported again: its earlier import is returned.
    """
    imported = receive_file(bank=bank, file=file, actor=actor)
    try:
        return confirm_import(
            bank=bank,
            import_id=imported.pk,
            mapping=mapping,
            actor=actor,
            good_rows_only=good_rows_only,
        )
    except Refused:
        discard_import(bank=bank, import_id=imported.pk, actor=actor)
        raise


def confirm_import(
    *,
    bank: Bank,
    import_id: uuid.UUID,
    mapping: Mapping,
    actor: Actor,
    good_rows_only: bool = False,
) -> Import:
    """Say how a received file is to be read; then ``run_import`` may begin.

    Returns the earlier import where the same file was imported before. Raises Refused where a
    mapped column is missing or the file is already being read.
    """
    with bank_scope(bank.pk):
        imported = get(import_id)
        earlier = imported_before(imported)
    if earlier is not None:
        discard_import(bank=bank, import_id=import_id, actor=actor)
        return earlier
    mapping.check_source(list(outside(path=Path(imported.file_path)).columns))
    with bank_scope(bank.pk):
        confirmed = Import.objects.filter(pk=import_id, status=ImportStatus.WAITING).update(
            mapping=mapping.to_json(), good_rows_only=good_rows_only
        )
        if not confirmed:
            raise _no_import()
        audit.record(
            actor=actor,
            verb="import.confirmed",
            target=imported,
            bank=bank,
            good_rows_only=good_rows_only,
        )
        return get(import_id)


def import_good_rows(*, bank: Bank, import_id: uuid.UUID, actor: Actor) -> Import:
    """Read a refused file once more, leaving its bad rows out; the caller wakes the worker."""
    with bank_scope(bank.pk):
        again = Import.objects.filter(
            pk=import_id, status=ImportStatus.REFUSED, failure_code="rows_refused"
        ).update(status=ImportStatus.WAITING, good_rows_only=True)
        if not again:
            raise _no_import()
        imported = get(import_id)
        audit.record(actor=actor, verb="import.good_rows", target=imported, bank=bank)
        return imported


def discard_import(*, bank: Bank, import_id: uuid.UUID, actor: Actor) -> None:
    """Delete a file that was not imported, with its list of errors."""
    with bank_scope(bank.pk):
        imported = get(import_id)
        deleted, _ = Import.objects.filter(
            pk=import_id, status__in=[ImportStatus.WAITING, ImportStatus.REFUSED]
        ).delete()
        if not deleted:
            raise _no_import()
        audit.record(actor=actor, verb="import.discarded", target=imported, bank=bank)
    files.forget(bank, import_id)


def save_mapping(*, bank: Bank, name: str, mapping: Mapping, actor: Actor) -> SourceMapping:
    """Keep a mapping under a name for the next file of the same source."""
    with bank_scope(bank.pk):
        saved, _ = SourceMapping.objects.update_or_create(
            bank=bank, name=name, defaults={"mapping": mapping.to_json()}
        )
        audit.record(actor=actor, verb="mapping.saved", target=saved, bank=bank, name=name)
        return saved


def get(import_id: uuid.UUID) -> Import:
    """One of the bank's imports, inside its scope. Raises Refused where there is none."""
    found = Import.objects.filter(pk=import_id).first()
    if found is None:
        raise _no_import()
    return found


def imported_before(imported: Import) -> Import | None:
    """The import that already stored this very file, if there is one."""
    same = Import.objects.filter(file_sha256=imported.file_sha256, status=ImportStatus.DONE)
    return same.exclude(pk=imported.pk).first()


def _no_import() -> Refused:
    return Refused(
        "no_import",
        gettext_noop("There is no such file waiting; it may be read already, or discarded."),
    )
