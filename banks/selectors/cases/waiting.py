"""What of the cases waits for one person: their own, the late ones, what they may approve."""

from __future__ import annotations

from typing import Final

from django.db.models import Case as Choice
from django.db.models import Count, Q, Value, When, Window
from django.utils import timezone

from banks.models import Case, FreezeRequest
from consortium.accounts.models import Bank, Membership, User

from .roles import APPROVERS

SHOWN: Final = 5
MOST: Final = 50


def mine_and_late(bank: Bank, user: User) -> tuple[list[Case], int]:
    """The cases under way that this person owns, what is due first before; and how many of the
    bank's are past their time.
    """
    past = Count("pk", filter=Q(due_at__lt=timezone.now()))
    rows = Case.objects.filter(bank=bank, status__in=Case.UNDER_WAY).annotate(
        late_here=Window(past)
    )
    own_first = Choice(When(owner=user, then=Value(0)), default=Value(1))
    found = list(rows.order_by(own_first, "due_at", "id")[:SHOWN])
    return [case for case in found if case.owner_id == user.pk], found[0].late_here if found else 0


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
