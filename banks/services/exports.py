"""Tables that somebody takes along: who took what, in the trail."""

from __future__ import annotations

from typing import Any

from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope


def note_export(*, bank: Bank, actor: Actor, what: str, target: object = "", **facts: Any) -> None:
    """Write down that a table leaves as a file."""
    with bank_scope(bank.pk):
        audit.record(
            actor=actor, verb="table.exported", target=target, bank=bank, what=what, **facts
        )
