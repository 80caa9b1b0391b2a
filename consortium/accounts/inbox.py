"""A person's notifications: only what their present places and roles let them read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse

from consortium.accounts.models import Membership, Notification, User
from consortium.accounts.verbs import verb_name

PAGE = 50


@dataclass(frozen=True)
class Told:
    """One notification in the reader's language, and the page it leads to."""

    row: Notification

    @property
    def what(self) -> str:
        return verb_name(self.row.verb)

    @property
    def by(self) -> str:
        return str(self.row.facts.get("by", ""))

    @property
    def url(self) -> str:
        """The page, or the place's first one where that page is not here."""
        places = [[self.row.bank.slug]] if self.row.bank else [[], [self._slug()]]
        for arguments in places:
            try:
                return reverse(self.row.page, args=[one for one in arguments if one])
            except NoReverseMatch:
                continue
        return reverse("home")

    def _slug(self) -> str:
        return str(self.row.facts.get("slug", ""))


def readable(user: User, places: list[Membership] | None = None) -> QuerySet[Notification]:
    """Rows of this person whose place and role they still have."""
    here = Q(pk__in=[])
    for place in places if places is not None else Membership.objects.filter(user=user):
        here |= Q(bank_id=place.bank_id, roles__contains=[place.role])
    return Notification.objects.filter(here, user=user).select_related("bank")


def unread(user: User, places: list[Membership]) -> int:
    return readable(user, places).filter(read_at__isnull=True).count()


def page(user: User, *, before: datetime | None = None) -> tuple[list[Told], datetime | None]:
    """The newest, or those before a moment; and where the next page begins."""
    rows = readable(user)
    if before is not None:
        rows = rows.filter(at__lt=before)
    found = [Told(row) for row in rows[: PAGE + 1]]
    return found[:PAGE], found[PAGE - 1].row.at if len(found) > PAGE else None
