"""Telling people what they should know: made from the audit trail's events, where they happen."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank, Membership, Notification, Role, User

Kind = Notification.Kind
DESK = (Role.ANALYST, Role.LEAD)
CHOOSERS = (Role.LEAD, Role.MODEL_OWNER)
OWNERS = (Role.MODEL_OWNER,)
ADMINS = (Role.BANK_ADMIN,)
OPERATORS = (Role.OPERATOR,)


@dataclass(frozen=True)
class Rule:
    """Whom an event concerns, and the page it leads to.

    ``where`` must hold among the event's facts; ``person`` is the fact that names the only reader.
    """

    kind: Kind
    roles: tuple[Role, ...]
    page: str
    where: tuple[str, Any] | None = None
    person: str = ""


RULES: Final[Mapping[str, Rule]] = {
    "threshold.proposed": Rule(Kind.APPROVAL, CHOOSERS, "banks:threshold-changes"),
    "threshold.approved": Rule(
        Kind.THRESHOLD, (*DESK, Role.MODEL_OWNER), "banks:threshold-changes", ("scheduled", True)
    ),
    "case.submitted": Rule(Kind.APPROVAL, (Role.LEAD,), "banks:work"),
    "freeze.submitted": Rule(Kind.APPROVAL, (Role.LEAD,), "banks:work"),
    "case.assigned": Rule(Kind.CASE, DESK, "banks:work", person="owner"),
    "version.trained": Rule(Kind.MODEL, CHOOSERS, "banks:models"),
    "version.adopted": Rule(Kind.MODEL, CHOOSERS, "banks:models"),
    "model.voted": Rule(Kind.MODEL, OWNERS, "banks:models"),
    "retraining.proposed": Rule(Kind.DRIFT, OWNERS, "banks:monitor"),
    "roster.trusted": Rule(Kind.MEMBER, ADMINS, "banks:votes"),
    "share.destroyed": Rule(Kind.KEY, ADMINS, "banks:membership"),
    "bank.joined": Rule(Kind.APPROVAL, OPERATORS, "aggregation:bank"),
    "bank.compared": Rule(Kind.APPROVAL, OPERATORS, "aggregation:bank"),
    "bank.suspended": Rule(Kind.MEMBER, OPERATORS, "aggregation:banks"),
    "bank.removed": Rule(Kind.MEMBER, OPERATORS, "aggregation:banks"),
    "roster.proposed": Rule(Kind.MEMBER, OPERATORS, "aggregation:tasks"),
    "key.retired": Rule(Kind.KEY, OPERATORS, "aggregation:tasks"),
    "run.done": Rule(Kind.RUN, OPERATORS, "aggregation:runs"),
    "run.failed": Rule(Kind.RUN, OPERATORS, "aggregation:runs"),
    "run.not_started": Rule(Kind.RUN, OPERATORS, "aggregation:runs"),
    "round.abandoned": Rule(Kind.RUN, OPERATORS, "aggregation:runs"),
    "round.disputed": Rule(Kind.RUN, OPERATORS, "aggregation:runs"),
}


def of_event(*, actor: Actor, entry: AuditEntry) -> None:
    """Tell those whom an entry of the trail concerns; most concern nobody beyond the trail."""
    rule = RULES.get(entry.verb)
    if rule is None or (rule.where and entry.facts.get(rule.where[0]) != rule.where[1]):
        return
    notify(
        kind=rule.kind,
        verb=entry.verb,
        bank=entry.bank,
        roles=rule.roles,
        page=rule.page,
        facts={"by": entry.actor, **_bank_meant(entry.target)},
        besides=actor.user,
        only=str(entry.facts.get(rule.person)) if rule.person else "",
    )


def _bank_meant(target: str) -> dict[str, str]:
    """The bank that the centre's trail speaks of, for the sentence and the address."""
    kind, _colon, key = target.partition(":")
    found = Bank.objects.filter(pk=key).first() if kind == "bank" else None
    return {"slug": found.slug, "about": found.name} if found else {}


def notify(
    *,
    kind: Kind,
    verb: str,
    bank: Bank | None,
    roles: Collection[Role],
    page: str,
    facts: Mapping[str, Any],
    besides: User | None = None,
    only: str = "",
) -> None:
    """Tell everybody with one of ``roles`` in the place, but for who did it and who muted the kind.

    ``only`` names one person as the trail does. Call it inside the transaction of the event.
    """
    people = Membership.objects.filter(bank=bank, role__in=roles, user__is_active=True)
    people = people.exclude(user__muted__contains=[kind])
    if besides is not None:
        people = people.exclude(user=besides)
    if only:
        people = people.filter(Q(user__name=only) | Q(user__name="", user__email=only))
    Notification.objects.bulk_create(
        Notification(
            user_id=user,
            bank=bank,
            roles=[role.value for role in roles],
            kind=kind,
            verb=verb,
            facts=dict(facts),
            page=page,
        )
        for user in people.values_list("user_id", flat=True)
    )


def mark_read(*, user: User, notification_id: uuid.UUID | None = None) -> int:
    """Mark one of the person's own, or all of them; how many were unread until now."""
    unread = Notification.objects.filter(user=user, read_at__isnull=True)
    if notification_id is not None:
        unread = unread.filter(pk=notification_id)
    return unread.update(read_at=timezone.now())


def set_muted(*, user: User, kinds: Collection[str]) -> None:
    """Which kinds the person does not want to be told of from now on."""
    known = [kind for kind in Kind.values if kind in kinds]
    User.objects.filter(pk=user.pk).update(muted=known)
    user.muted = known
