"""Thresholds on their way, and those that were in force."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final, cast

from django.db.models import QuerySet

from banks.ml.evaluation import Confusion
from banks.models import ModelVersion, Threshold, ThresholdChange
from consortium.accounts.models import Bank, Membership, Role, User

APPROVERS: Final = (Role.LEAD, Role.MODEL_OWNER)
SHOWN: Final = 50


@dataclass(frozen=True)
class InForce:
    """A version's present threshold, and whether one click brings back the one before."""

    threshold: Threshold
    before: Threshold | None


@dataclass(frozen=True)
class Effect:
    """What a change does to the judged window."""

    before: Confusion
    after: Confusion


def waiting(bank: Bank) -> list[ThresholdChange]:
    """Changes that wait for a second person or for their time, the oldest first."""
    return list(_changes(bank).filter(status__in=ThresholdChange.OPEN).order_by("proposed_at"))


def waiting_for(membership: Membership) -> list[ThresholdChange]:
    """Proposals that this person may approve: not their own, and only if their role may."""
    if membership.role not in APPROVERS:
        return []
    return list(
        _changes(cast(Bank, membership.bank))
        .filter(status=ThresholdChange.Status.PROPOSED)
        .exclude(proposed_by=membership.user)
        .order_by("proposed_at")
    )


def closed(bank: Bank) -> list[ThresholdChange]:
    """Changes that came to an end, newest first."""
    return list(_changes(bank).exclude(status__in=ThresholdChange.OPEN)[:SHOWN])


def open_change(version: ModelVersion) -> ThresholdChange | None:
    """The change of this version that is under way."""
    rows = _changes(version.bank_id).filter(version=version)
    return rows.filter(status__in=ThresholdChange.OPEN).first()


def in_force(bank: Bank) -> list[InForce]:
    """The newest threshold of each version, the newest version first."""
    rows = (
        Threshold.objects.filter(bank=bank)
        .select_related("version", "set_by", "approved_by")
        .defer("version__artifact")
        .order_by("-version__number", "-created_at", "-pk")
    )
    by_version: dict[Any, list[Threshold]] = {}
    for row in rows:
        by_version.setdefault(row.version_id, []).append(row)
    return [
        InForce(
            threshold=found[0],
            before=found[1]
            if len(found) > 1 and found[0].method != Threshold.Method.ROLLED_BACK
            else None,
        )
        for found in list(by_version.values())[:SHOWN]
    ]


def exists(bank: Bank, change_id: uuid.UUID) -> bool:
    return ThresholdChange.objects.filter(bank=bank, pk=change_id).exists()


def who_may_approve(bank: Bank, user: User) -> list[User]:
    """The other people of the bank who may approve what this person proposes."""
    found = Membership.objects.select_related("user").filter(
        bank=bank, role__in=APPROVERS, user__is_active=True
    )
    return [one.user for one in found.exclude(user=user)]


def effect_of(change: ThresholdChange) -> Effect | None:
    """What the proposer saw; None where no window had been judged."""
    if not change.effect:
        return None
    return Effect(Confusion(**change.effect["before"]), Confusion(**change.effect["after"]))


def _changes(bank: Bank | uuid.UUID) -> QuerySet[ThresholdChange]:
    return (
        ThresholdChange.objects.filter(bank=bank)
        .select_related("version", "proposed_by", "decided_by")
        .defer("version__artifact")
    )
