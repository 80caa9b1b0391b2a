"""The banks as the operator sees them: status, fingerprints, last contact, rosters. No counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from aggregation.models import BankInvitation, RosterVersion
from consortium.accounts.models import Bank
from consortium.protocol.envelope import fingerprint
from consortium.protocol.roster import Roster


@dataclass(frozen=True)
class Member:
    """One bank, and the tasks whose active roster lists it."""

    bank: Bank
    seen_at: datetime | None
    invitation: BankInvitation | None
    version: str = ""  # what its node said it runs
    rosters: list[RosterVersion] = field(default_factory=list)

    @property
    def signing(self) -> str:
        """The fingerprint to compare by voice; empty before the bank has joined."""
        return fingerprint(bytes(self.bank.signing_key).hex()) if self.bank.signing_key else ""

    @property
    def sealing(self) -> str:
        return fingerprint(bytes(self.bank.sealing_key).hex()) if self.bank.sealing_key else ""


def members(*, slug: str | None = None) -> list[Member]:
    """All banks, or the one of that slug; three queries."""
    rows = Bank.objects.select_related("node_contact", "node_invitation").order_by("name")
    active = RosterVersion.objects.filter(state=RosterVersion.State.ACTIVE).select_related("task")
    rosters = [(roster, set(Roster.from_wire(roster.body).banks)) for roster in active]
    return [
        Member(
            bank=bank,
            seen_at=getattr(getattr(bank, "node_contact", None), "seen_at", None),
            invitation=getattr(bank, "node_invitation", None),
            version=getattr(getattr(bank, "node_contact", None), "version", ""),
            rosters=[roster for roster, banks in rosters if str(bank.pk) in banks],
        )
        for bank in (rows.filter(slug=slug) if slug else rows)
    ]


def by_id(ids: Iterable[str | uuid.UUID]) -> list[Bank]:
    """The banks of these ids, by name."""
    return list(Bank.objects.filter(pk__in=list(ids)))


def able() -> QuerySet[Bank]:
    """The banks that a roster may list: joined with their keys, not suspended."""
    return Bank.objects.filter(status__in=[Bank.Status.JOINED, Bank.Status.ACTIVE])
