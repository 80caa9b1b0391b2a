"""Taking the audit trail along is itself an entry of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry


@transaction.atomic
def export(*, actor: Actor) -> Iterator[AuditEntry]:
    """The actor's place's whole chain from its beginning, this export its last entry."""
    audit.record(actor=actor, verb="audit.exported", bank=actor.bank)
    chain = audit.chain_of(actor.bank)
    return AuditEntry.objects.filter(chain=chain).order_by("sequence").iterator()
