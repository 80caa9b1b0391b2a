"""The audit trail: append-only, hash-chained, written in the transaction it speaks of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from .actors import Actor
from .models import AuditEntry, Bank
from .services import notifications

CENTRE = "centre"
GENESIS = "0" * 64


def record(
    *, actor: Actor, verb: str, target: object = "", bank: Bank | None = None, **facts: Any
) -> AuditEntry:
    """Append one entry to the chain of ``bank`` (the centre's where there is none).

    Must run inside the transaction of the change it records, as its last write: the chain is
    locked until that transaction ends.
    """
    chain = chain_of(bank)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["audit:" + chain])
        last = AuditEntry.objects.filter(chain=chain).order_by("-sequence").first()
        entry = AuditEntry(
            chain=chain,
            sequence=last.sequence + 1 if last else 1,
            at=timezone.now(),
            bank=bank,
            actor=actor.label,
            user=actor.user,
            verb=verb,
            target=_name(target),
            facts=facts,
            previous_hash=last.hash if last else GENESIS,
        )
        entry.hash = digest(entry)
        entry.save(force_insert=True)
    notifications.of_event(actor=actor, entry=entry)
    return entry


def chain_of(bank: Bank | None) -> str:
    return str(bank.pk) if bank else CENTRE


def _name(target: object) -> str:
    if isinstance(target, str):
        return target
    return f"{type(target).__name__.lower()}:{getattr(target, 'pk', target)}"


def digest(entry: AuditEntry) -> str:
    """SHA-256 over everything an entry says and the hash before it."""
    said = [
        entry.chain,
        entry.sequence,
        entry.at.isoformat(),
        entry.actor,
        entry.verb,
        entry.target,
        entry.facts,
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def broken_entries(chain: str) -> Iterator[AuditEntry]:
    """Walk a chain from its beginning; yield every entry that does not fit the one before."""
    previous, expected = GENESIS, 1
    for entry in AuditEntry.objects.filter(chain=chain).order_by("sequence").iterator():
        if (
            entry.sequence != expected
            or entry.previous_hash != previous
            or digest(entry) != entry.hash
        ):
            yield entry
        previous, expected = entry.hash, entry.sequence + 1
