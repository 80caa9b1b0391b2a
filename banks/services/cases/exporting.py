"""The case file leaves as a PDF: who took it, and what exactly."""

from __future__ import annotations

import hashlib
import uuid

from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

from .history import case_of


def note_file(*, bank: Bank, actor: Actor, case_id: uuid.UUID | str, content: bytes) -> str:
    """Write down the export with the SHA-256 of the file, and return that."""
    digest = hashlib.sha256(content).hexdigest()
    with bank_scope(bank.pk):
        case = case_of(bank, case_id)
        audit.record(
            actor=actor,
            verb="case.file_exported",
            target=case,
            bank=bank,
            number=case.number,
            sha256=digest,
        )
    return digest
