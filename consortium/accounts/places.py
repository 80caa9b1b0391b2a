"""Where a person can go: the left rail of a bank's world and of the centre's.

An entry shows itself only where its page exists in this process and its view admits the
person's role, so the rail can't promise what ``access`` would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Membership


@dataclass(frozen=True)
class Entry:
    name: str
    label: str | Promise
    icon: str


@dataclass(frozen=True)
class Place:
    """An entry as one person sees it."""

    label: str | Promise
    icon: str
    url: str


BANK_RAIL = (
    Entry("banks:work", _("My work"), "inbox"),
    Entry("banks:alerts", _("Alerts"), "bell"),
    Entry("banks:cases", _("Cases"), "folder"),
    Entry("banks:transactions", _("Transactions"), "search"),
    Entry("banks:performance", _("Performance"), "target"),
    Entry("banks:monitor", _("Monitor"), "eye"),
    Entry("banks:imports", _("Data"), "upload"),
    Entry("banks:training", _("Training"), "activity"),
    Entry("banks:models", _("Models"), "layers"),
    Entry("banks:privacy", _("What left this bank"), "lock"),
    Entry("banks:signal", _("Cross-bank signal"), "globe"),
    Entry("banks:membership", _("Consortium"), "link"),
    Entry("bank-people", _("People"), "users"),
    Entry("bank-audit", _("Audit trail"), "list"),
    Entry("banks:node", _("This node"), "clock"),
    Entry("banks:settings", _("Settings"), "settings"),
)
CENTRE_RAIL = (
    Entry("aggregation:home", _("Overview"), "inbox"),
    Entry("aggregation:banks", _("Banks"), "bank"),
    Entry("aggregation:tasks", _("Tasks and schedules"), "clock"),
    Entry("aggregation:runs", _("Training runs"), "activity"),
    Entry("aggregation:performance", _("Performance"), "target"),
    Entry("aggregation:operations", _("Operations"), "settings"),
    Entry("aggregation:log", _("Receipts"), "lock"),
    Entry("centre-people", _("People"), "users"),
    Entry("centre-audit", _("Audit trail"), "list"),
)


def rail(membership: Membership) -> Iterator[Place]:
    """The pages open to this person in this place, in the order of the rail."""
    for entry in BANK_RAIL if membership.bank else CENTRE_RAIL:
        if url := _open(membership, entry.name):
            yield Place(entry.label, entry.icon, url)


def search_of(membership: Membership) -> str:
    """Where the header's search box of a bank leads; empty where it is not for this person."""
    return _open(membership, "banks:search") if membership.bank else ""


def _open(membership: Membership, name: str) -> str:
    """The page's address in this place, where there is one that admits the person's role."""
    bank = membership.bank
    try:
        url = reverse(name, args=[bank.slug] if bank else [])
    except NoReverseMatch:
        return ""
    return url if membership.role in getattr(resolve(url).func, "roles", ()) else ""


def home_of(membership: Membership) -> str:
    """Where a person begins in a place: the first page of their rail."""
    first = next(rail(membership), None)
    return first.url if first else reverse("profile")


def place_url(membership: Membership, page: str, *args: object) -> str:
    """The address of a page that both worlds have: `people` is bank-people or centre-people."""
    if membership.bank:
        return reverse(f"bank-{page}", args=[membership.bank.slug, *args])
    return reverse(f"centre-{page}", args=[*args])
