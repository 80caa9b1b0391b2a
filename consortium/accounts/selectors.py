"""What may be read about people, invitations, tokens and the audit trail of one place."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from . import audit
from .models import ApiToken, AuditEntry, Bank, Invitation, Membership, User

PAGE = 50


def people_of(bank: Bank | None) -> QuerySet[Membership]:
    """Everyone with a role in the bank (at the centre for None); ``second_factor`` says if set."""
    factor = Authenticator.objects.filter(user=OuterRef("user"), type=Authenticator.Type.TOTP)
    return (
        Membership.objects.filter(bank=bank)
        .select_related("user", "bank")
        .annotate(second_factor=Exists(factor))
        .order_by("user__name", "pk")
    )


def open_invitations(bank: Bank | None) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        bank=bank, accepted_at__isnull=True, expires_at__gt=timezone.now()
    ).order_by("-created_at")


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user).select_related("bank")


def audit_entries(
    bank: Bank | None, *, before: int | None = None, limit: int = PAGE
) -> list[AuditEntry]:
    """The place's trail, newest first, below the sequence number ``before``."""
    entries = AuditEntry.objects.filter(chain=audit.chain_of(bank)).order_by("-sequence")
    if before is not None:
        entries = entries.filter(sequence__lt=before)
    return list(entries[:limit])


@dataclass(frozen=True)
class ChainReport:
    """What a walk over a whole chain found."""

    entries: int
    head: str
    broken: list[int]

    @property
    def holds(self) -> bool:
        return not self.broken


def verify_chain(bank: Bank | None) -> ChainReport:
    chain = audit.chain_of(bank)
    last = AuditEntry.objects.filter(chain=chain).order_by("-sequence").first()
    return ChainReport(
        entries=AuditEntry.objects.filter(chain=chain).count(),
        head=last.hash if last else audit.GENESIS,
        broken=[entry.sequence for entry in audit.broken_entries(chain)],
    )
