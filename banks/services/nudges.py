"""Which banks live on this node, and what of theirs waits for a worker."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from banks import keys
from banks.models import Import, ImportStatus
from banks.services import runs, training
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

PATIENCE = timedelta(seconds=30)
"""A queued run this old has lost its message."""


def banks_of_this_node() -> list[Bank]:
    """The node's own bank; in the demo every bank whose keys lie on this machine."""
    members = Bank.objects.exclude(status__in=[Bank.Status.INVITED, Bank.Status.REMOVED])
    if settings.BANK_SLUG:
        members = members.filter(slug=settings.BANK_SLUG)
    return [bank for bank in members if keys.folder(bank.slug).exists()]


def due_trainings(bank: Bank) -> list[uuid.UUID]:
    """Runs alone that are due by schedule, or that somebody should be working on."""
    runs.give_up(bank)
    started = training.start_due(bank=bank, now=timezone.now())
    return [*([started.pk] if started else []), *runs.dropped(bank, queued_for=PATIENCE)]


def due_imports(bank: Bank) -> list[uuid.UUID]:
    """Confirmed files that nobody reads although somebody should; a file being read is locked."""
    late = timezone.now() - PATIENCE
    with bank_scope(bank.pk):
        return list(
            Import.objects.filter(
                status__in=[ImportStatus.WAITING, ImportStatus.CHECKING], created_at__lt=late
            )
            .exclude(mapping={})
            .values_list("pk", flat=True)
        )
