"""Testing the line to the coordinator by hand, from this node, as its worker uses it."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from banks.connection import Hop, walk
from banks.models import ProtocolLease
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope


def probe_connection(*, actor: Actor, bank: Bank) -> list[Hop]:
    """Walk every hop to the coordinator; a hello that it accepted is a contact as any other."""
    hops = walk(bank)
    failed = next((hop.code for hop in hops if hop.state == "failed"), "")
    with transaction.atomic(), bank_scope(bank.pk):
        if not failed:
            ProtocolLease.objects.get_or_create(bank=bank)
            ProtocolLease.objects.filter(bank=bank).update(last_contact_at=Now(), last_error="")
        audit.record(actor=actor, verb="connection.tested", bank=bank, failed=failed)
    return hops
