"""A person's own views of the queue."""

from __future__ import annotations

import uuid

from banks.models import SavedView
from consortium.accounts.models import Bank, User

from .filters import Filters


def saved_views(bank: Bank, user: User) -> list[SavedView]:
    """By name; each carries ``address``, the query that shows it."""
    found = list(SavedView.objects.filter(bank=bank, user=user))
    for view in found:
        view.address = Filters.from_query(view.filters).address()  # type: ignore[attr-defined]
    return found


def saved_view(bank: Bank, view_id: uuid.UUID) -> SavedView | None:
    """By its address, which a colleague may have passed on."""
    return SavedView.objects.filter(bank=bank, pk=view_id).first()
