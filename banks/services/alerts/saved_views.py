"""A person's own views of the queue: filters under a name."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from banks.models import SavedView
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

MOST_VIEWS: Final = 20


def save_view(*, bank: Bank, actor: Actor, name: str, filters: Mapping[str, str]) -> SavedView:
    """Keep filters under a name; the same name again replaces what it stood for."""
    name = name.strip()
    if not 1 <= len(name) <= 60:
        raise Refused(
            "view_name", gettext_noop("Give the view a name of 1 to 60 characters."), field="name"
        )
    with bank_scope(bank.pk):
        own = SavedView.objects.filter(bank=bank, user=actor.user)
        if not own.filter(name=name).exists() and own.count() >= MOST_VIEWS:
            raise Refused(
                "too_many_views",
                gettext_noop("You have %(most)s views. Delete one first."),
                field="name",
                most=MOST_VIEWS,
            )
        view, _created = SavedView.objects.update_or_create(
            bank=bank, user=actor.user, name=name, defaults={"filters": dict(filters)}
        )
    return view


def delete_view(*, bank: Bank, actor: Actor, view_id: uuid.UUID | str) -> None:
    """Delete one's own view; a view that is gone already is gone."""
    with bank_scope(bank.pk):
        SavedView.objects.filter(bank=bank, user=actor.user, pk=view_id).delete()
