"""How people come in: a one-time link from someone who may invite."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import cast

from django.db import transaction
from django.utils import timezone

from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import BANK_ROLES, CENTRE_ROLES, Invitation, Membership, User
from consortium.accounts.tokens import hash_secret
from consortium.protocol.errors import Refused, gettext_noop

VALID = timedelta(days=7)


@transaction.atomic
def invite(*, actor: Actor, email: str, name: str, role: str) -> tuple[Invitation, str]:
    """Invite to the actor's own place; an open invitation to the same address is replaced.

    Returns the invitation and its token, which exists nowhere else.
    """
    email = email.strip().lower()
    check_role(actor=actor, role=role)
    if Membership.objects.filter(bank=actor.bank, user__email=email).exists():
        raise Refused(
            "already_here",
            gettext_noop("%(email)s already works here. Change their role in the list instead."),
            field="email",
            email=email,
        )
    Invitation.objects.filter(bank=actor.bank, email=email, accepted_at__isnull=True).delete()
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        token_hash=hash_secret(token),
        email=email,
        name=name,
        bank=actor.bank,
        role=role,
        invited_by=cast(User, actor.user),  # no node or schedule invites
        expires_at=timezone.now() + VALID,
    )
    audit.record(actor=actor, verb="person.invited", target=email, bank=actor.bank, role=role)
    return invitation, token


@transaction.atomic
def withdraw(*, actor: Actor, invitation_id: uuid.UUID) -> None:
    found = Invitation.objects.filter(
        pk=invitation_id, bank=actor.bank, accepted_at__isnull=True
    ).first()
    if found is None or not found.delete()[0]:
        raise Refused(
            "invitation_gone", gettext_noop("This invitation was accepted or withdrawn already.")
        )
    audit.record(actor=actor, verb="invitation.withdrawn", target=found.email, bank=actor.bank)


def find(*, token: str) -> Invitation:
    """The invitation a link speaks of, if it can still be accepted."""
    found = Invitation.objects.select_related("bank").filter(token_hash=hash_secret(token)).first()
    if found is None or found.accepted_at or found.expires_at <= timezone.now():
        raise Refused(
            "invitation_closed",
            gettext_noop(
                "This link was used already, has expired or was withdrawn. "
                "Ask whoever sent it for a new one."
            ),
        )
    return found


def has_account(*, invitation: Invitation) -> bool:
    return User.objects.filter(email=invitation.email, is_active=True).exists()


@transaction.atomic
def accept(*, token: str, name: str, password: str, language: str) -> User:
    """Turn an invitation into a person with a role, exactly once.

    Someone who has a working account elsewhere in this system joins with it (`join`); an
    account that was deactivated comes back with the new password.
    """
    invitation = find(token=token)
    if has_account(invitation=invitation):
        raise Refused(
            "sign_in_first",
            gettext_noop(
                "%(email)s has an account here. Sign in with it, then open the link again."
            ),
            email=invitation.email,
        )
    _use(invitation)
    if user := User.objects.filter(email=invitation.email).first():
        user.set_password(password)
        user.name, user.language, user.is_active = name, language, True
        user.save(update_fields=["password", "name", "language", "is_active"])
    else:
        user = User.objects.create_user(invitation.email, password, name=name, language=language)
    _enter(invitation, user)
    return user


@transaction.atomic
def join(*, token: str, user: User) -> Membership:
    """A signed-in person takes up the invitation that was sent to their own address."""
    invitation = find(token=token)
    if invitation.email != user.email:
        raise Refused(
            "not_yours",
            gettext_noop("This invitation is for %(email)s. Sign in with that account."),
            email=invitation.email,
        )
    _use(invitation)
    return _enter(invitation, user)


def _use(invitation: Invitation) -> None:
    used = Invitation.objects.filter(
        pk=invitation.pk, accepted_at__isnull=True, expires_at__gt=timezone.now()
    ).update(accepted_at=timezone.now())
    if used != 1:
        raise Refused("invitation_closed", gettext_noop("This link was used already."))


def _enter(invitation: Invitation, user: User) -> Membership:
    membership = Membership.objects.create(user=user, bank=invitation.bank, role=invitation.role)
    audit.record(
        actor=Actor(label=str(user), user=user, bank=invitation.bank, role=invitation.role),
        verb="person.joined",
        target=membership,
        bank=invitation.bank,
        role=invitation.role,
    )
    return membership


def check_role(*, actor: Actor, role: str) -> None:
    """A place has its own roles; an analyst can't work at the centre, nor an operator in a bank."""
    if role not in set(BANK_ROLES if actor.bank else CENTRE_ROLES):
        raise Refused(
            "no_such_role", gettext_noop("This place has no such role."), field="role", role=role
        )
