"""What those who look after a place may do to a colleague's access; never to their own."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import ApiToken, Membership, Role, User
from consortium.protocol.errors import Refused, gettext_noop

from .invitations import check_role


@transaction.atomic
def change_role(*, actor: Actor, membership_id: int, role: str) -> Membership:
    check_role(actor=actor, role=role)
    membership = _colleague(actor, membership_id)
    old = membership.role
    if old == role:
        return membership
    Membership.objects.filter(pk=membership.pk, role=old).update(role=role)
    membership.role = role
    audit.record(
        actor=actor,
        verb="person.role_changed",
        target=membership,
        bank=actor.bank,
        person=membership.user.email,
        old=old,
        new=role,
    )
    return membership


@transaction.atomic
def reset_second_factor(*, actor: Actor, membership_id: int) -> None:
    """Forget a colleague's authenticator and recovery codes; they set up a new one."""
    membership = _colleague(actor, membership_id)
    removed, _ = Authenticator.objects.filter(user=membership.user).delete()
    if not removed:
        raise Refused(
            "no_second_factor", gettext_noop("This person has no second factor to reset.")
        )
    audit.record(
        actor=actor,
        verb="person.second_factor_reset",
        target=membership,
        bank=actor.bank,
        person=membership.user.email,
    )


@transaction.atomic
def deactivate(*, actor: Actor, membership_id: int) -> None:
    """End a colleague's access to this place: role, tokens, and sign-in if it was their last."""
    membership = _colleague(actor, membership_id)
    user = membership.user
    Membership.objects.filter(pk=membership.pk).delete()
    ApiToken.objects.filter(user=user, bank=actor.bank, revoked_at__isnull=True).update(
        revoked_at=timezone.now()
    )
    if not Membership.objects.filter(user=user).exists():
        User.objects.filter(pk=user.pk).update(is_active=False)
    audit.record(
        actor=actor,
        verb="person.deactivated",
        target=membership,
        bank=actor.bank,
        person=user.email,
    )


def keeper_role(actor: Actor) -> Role:
    """The role that looks after a place's people; a place is never without one."""
    return Role.BANK_ADMIN if actor.bank else Role.OPERATOR


def _colleague(actor: Actor, membership_id: int) -> Membership:
    """The person to change, with the whole place locked: two who remove each other take turns."""
    everyone = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(bank=actor.bank)
        .order_by("pk")
    )
    here = {membership.pk: membership for membership in everyone}
    found = here.get(membership_id)
    if found is None:
        raise Refused("no_such_person", gettext_noop("This person does not work here any more."))
    if actor.user and found.user_id == actor.user.pk:
        raise Refused(
            "not_oneself",
            gettext_noop("You cannot change your own access. Ask another administrator."),
        )
    keepers = {m.user_id for m in here.values() if m.role == keeper_role(actor)}
    if actor.user and actor.user.pk not in keepers:
        raise Refused("no_longer_allowed", gettext_noop("Your own role was changed meanwhile."))
    if keepers == {found.user_id}:
        raise Refused(
            "last_administrator",
            gettext_noop("Someone must look after this place. Name another administrator first."),
        )
    return found
