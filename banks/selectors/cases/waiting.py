"""What of the cases waits for one person: their own, the late ones, what they may approve."""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.utils import timezone

from banks.models import Case, FreezeRequest
from consortium.accounts.models import Bank, Membership, User

from .roles import APPROVERS

SHOWN: Final = 5
MOST: Final = 50


def mine(bank: Bank, user: User) -> list[Case]:
    """The cases under way that this person owns, what is due first before."""
    rows = Case.objects.filter(bank=bank, owner=user, status__in=Case.UNDER_WAY)
    return list(rows.order_by("due_at", "id")[:SHOWN])


def late(bank: Bank) -> int:
    """How many cases under way are past their time."""
    rows = Case.objects.filter(bank=bank, status__in=Case.UNDER_WAY, due_at__lt=timezone.now())
    return rows.count()


def waiting(membership: Membership) -> list[Case]:
    """Cases that this person may close: nobody's own."""
    if membership.role not in APPROVERS:
        return []
    rows = Case.objects.select_related("submitted_by").filter(
        bank=membership.bank, status=Case.Status.WAITING
    )
    return list(rows.exclude(submitted_by=membership.user).order_by("submitted_at")[:MOST])


def freezes_waiting(membership: Membership) -> list[FreezeRequest]:
    """Freeze requests that this person may approve: neither written nor submitted by them."""
    if membership.role not in APPROVERS:
        return []
    own = Q(submitted_by=membership.user) | Q(drafted_by=membership.user)
    rows = FreezeRequest.objects.select_related("submitted_by", "case").filter(
        bank=membership.bank, status=FreezeRequest.Status.SUBMITTED
    )
    return list(rows.exclude(own).order_by("submitted_at")[:MOST])
