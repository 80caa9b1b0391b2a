"""API tokens: `cst_…`, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import islice
from typing import Any, Final, cast

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from consortium.protocol.errors import Refused, gettext_noop

from . import audit
from .actors import Actor
from .models import ApiToken, Bank, Membership, User

PREFIX = "cst_"
LONGEST = timedelta(days=366)
# By hand, because every call of a program asks it: Django composes it longer than PostgreSQL
# answers, and would ask twice.
ABOUT: Final = (User, Membership, Bank)
KNOWN: Final = """
    SELECT {columns}
    FROM accounts_apitoken
    JOIN accounts_user ON accounts_user.id = accounts_apitoken.user_id
    LEFT JOIN accounts_membership ON accounts_membership.user_id = accounts_apitoken.user_id
        AND accounts_membership.bank_id IS NOT DISTINCT FROM accounts_apitoken.bank_id
    LEFT JOIN accounts_bank ON accounts_bank.id = accounts_apitoken.bank_id
    WHERE accounts_apitoken.secret_hash = %s AND accounts_user.is_active
"""


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_token(
    *, actor: Actor, name: str, scopes: list[str], days: int, by: ApiToken | None = None
) -> tuple[ApiToken, str]:
    """Make a token for the actor's own place; the secret is returned once and never again.

    A program (``by`` its own token) can't give more than it has: no other place, no further
    scope, no later end.
    """
    expires_at = timezone.now() + min(timedelta(days=days), LONGEST)
    if by:
        if by.bank != actor.bank or not set(scopes) <= set(by.scopes):
            raise Refused(
                "more_than_own",
                gettext_noop("A token can make another only for its own place and scopes."),
                field="scopes",
            )
        expires_at = min(expires_at, by.expires_at)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user=actor.user,
        bank=actor.bank,
        name=name,
        prefix=secret[:12],
        secret_hash=hash_secret(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    token.full_clean(exclude=["secret_hash"])
    token.save()
    audit.record(actor=actor, verb="token.created", target=token, bank=actor.bank, scopes=scopes)
    return token, secret


@transaction.atomic
def revoke_token(*, user: User, token_id: uuid.UUID) -> bool:
    """Revoke one of the person's own tokens; False when there was none to revoke."""
    own = ApiToken.objects.select_related("bank").filter(pk=token_id, user=user)
    if own.filter(revoked_at__isnull=True).update(revoked_at=timezone.now()) != 1:
        return False
    token = own.get()
    actor = Actor(label=str(user), user=user, bank=token.bank)
    audit.record(actor=actor, verb="token.revoked", target=token, bank=token.bank)
    return True


def _known(secret: str) -> ApiToken | None:
    """The token with its person, their place there, and the bank: all that a call needs of WHO."""
    with connection.cursor() as cursor:
        cursor.execute(_query(), [hash_secret(secret)])
        found = cursor.fetchone()
    if found is None:
        return None
    values = iter(found)
    token, user, place, bank = (_read(model, values) for model in (ApiToken, *ABOUT))
    token.user, token.bank, token.place = user, bank, place
    if place is not None:
        place.user, place.bank = user, bank
    return cast(ApiToken, token)


@cache
def _query() -> str:
    columns = [
        f'{model._meta.db_table}."{field.column}"'
        for model in (ApiToken, *ABOUT)
        for field in model._meta.concrete_fields
    ]
    return KNOWN.format(columns=", ".join(columns))


def _read(model: type[models.Model], values: Iterator[Any]) -> Any:
    """The row of ``model`` that comes next among the values; None where the join found none."""
    names = [field.attname for field in model._meta.concrete_fields]
    row = list(islice(values, len(names)))
    return None if row[0] is None else model.from_db(connection.alias, names, row)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer cst_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).decode("latin-1").split()
        if not parts or parts[0].lower() != "bearer":
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("The Authorization header must be: Bearer TOKEN."))
        token = _known(parts[1])
        if token is None or token.revoked_at:
            raise AuthenticationFailed(
                _("This token is not known. Make a new one on your profile page.")
            )
        now = timezone.now()
        if token.expires_at <= now:
            raise AuthenticationFailed(
                _("This token has expired. Make a new one on your profile page.")
            )
        # One write a minute is enough to say when a token was last used.
        late = now - timedelta(minutes=1)
        if token.last_used_at is None or token.last_used_at < late:
            ApiToken.objects.filter(
                Q(last_used_at__isnull=True) | Q(last_used_at__lt=late), pk=token.pk
            ).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
