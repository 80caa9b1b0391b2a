"""Mistakes in a set-up, said at start with what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection


@register()
def role_fits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.ROLE == "bank" and not settings.BANK_SLUG:
        found.append(
            Error(
                "A bank's node must know which bank it is.",
                hint="Set CONSORTIUM_BANK to the bank's slug.",
                id="consortium.E001",
            )
        )
    if settings.ROLE == "bank" and not settings.COORDINATOR_URL:
        found.append(
            Error(
                "A bank's node must know its coordinator.",
                hint="Set COORDINATOR_URL to the consortium's address.",
                id="consortium.E002",
            )
        )
    keys = [*settings.DATA_DIR.glob("banks/*/keys/*share*")]
    if settings.ROLE == "coordinator" and keys:
        found.append(
            Error(
                "A coordinator must never hold a key share.",
                hint=f"{len(keys)} share files lie in the data folder. Move them to their banks "
                "and start a new key epoch.",
                id="consortium.E003",
            )
        )
    if settings.ROLE != "demo" and settings.DEBUG:
        found.append(
            Warning(
                "DEBUG shows internals to anyone who causes an error.",
                hint="Unset DEBUG outside development.",
                id="consortium.W001",
            )
        )
    return found


@register(Tags.database)
def database_role_is_bound(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Row-level security does not bind a superuser."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            )
            bypasses = cursor.fetchone()[0]
    except DatabaseError:
        return []
    if not bypasses:
        return []
    return [
        Error(
            "This database role ignores row-level security.",
            hint="Use a role that is NOSUPERUSER NOBYPASSRLS.",
            id="consortium.E004",
        )
    ]
