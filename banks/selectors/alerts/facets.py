"""How many alerts stand behind each tab and each facet, from one grouped query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from banks.models import Alert
from consortium.accounts.models import Bank, User
from consortium.templatetags.figures import money

from .capacity import Today, today_of
from .filters import (
    AGES,
    AMOUNTS,
    BANDS,
    ONLY,
    OPEN,
    Deadlines,
    Filters,
    age_band,
    amount_band,
    found_by,
    matching,
    only_band,
)

MOST_CHANNELS = 8
FACETS = ("channel", "amount", "age", "only")
TABS = ("open", "unassigned", "mine", "later")


@dataclass(frozen=True)
class Option:
    """One value of a facet; ``address`` chooses it, or lets go of it where it is chosen."""

    value: str
    label: str
    count: int
    chosen: bool
    address: str


@dataclass(frozen=True)
class Facet:
    name: str
    label: str
    options: list[Option]


@dataclass(frozen=True)
class Counts:
    """``tabs`` count what each view holds, ``total`` what all filters together let through."""

    tabs: dict[str, int]
    decided_today: int
    total: int
    facets: list[Facet]

    def of(self, view: str) -> int:
        return self.decided_today if view == "decided" else self.tabs[view]


def counts(
    bank: Bank,
    user: User,
    filters: Filters,
    currency: str = "JPY",
    today: Today | None = None,
) -> Counts:
    """Counts for each tab and facet; a facet counts under all other filters but not its own."""
    today = today or today_of(bank)
    deadlines = Deadlines.of(today.settings)
    cells = _cells(bank, user, filters, deadlines)
    tabs = {tab: sum(cell["n"] for cell in cells if tab in cell["tabs"]) for tab in TABS}
    if filters.view == "decided":
        total, facets = matching(bank, user, filters, deadlines).count(), []
    else:
        here = [cell for cell in cells if filters.view in cell["tabs"]]
        total = sum(cell["n"] for cell in here if _fits(cell, filters, FACETS))
        facets = [facet for name in FACETS if (facet := _facet(here, filters, name, currency))]
    return Counts(tabs=tabs, decided_today=today.decided, total=total, facets=facets)


def _cells(bank: Bank, user: User, filters: Filters, deadlines: Deadlines) -> list[dict[str, Any]]:
    """Undecided alerts grouped by everything that a tab or a facet asks."""
    held = Case(
        When(status=Alert.Status.OPEN, then=Value("nobody")),
        When(claimed_by=user, then=Value("me")),
        default=Value("other"),
    )
    rows = (
        Alert.objects.filter(Q(status__in=OPEN), found_by(bank, filters.q), bank=bank)
        .annotate(
            held=held,
            asleep=Q(snoozed_until__gt=timezone.now()),
            amount_band=amount_band(),
            age_band=age_band(deadlines),
            only_band=only_band(),
        )
        .values("held", "asleep", "channel", "amount_band", "age_band", "only_band")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [
        {
            "tabs": _tabs_of(row["held"], asleep=bool(row["asleep"])),
            "channel": row["channel"],
            "amount": row["amount_band"],
            "age": row["age_band"],
            "only": row["only_band"],
            "n": row["n"],
        }
        for row in rows
    ]


def _tabs_of(held: str, *, asleep: bool) -> set[str]:
    """The tabs that show such alerts; the same as ``filters.of_view`` says to the database."""
    tabs = {"later"} if asleep else {"open"}
    if held == "nobody" and not asleep:
        tabs.add("unassigned")
    if held == "me":
        tabs.add("mine")
    return tabs


def _fits(cell: dict[str, Any], filters: Filters, names: Iterable[str]) -> bool:
    return all(getattr(filters, name) in ("", cell[name]) for name in names)


def _facet(cells: list[dict[str, Any]], filters: Filters, name: str, currency: str) -> Facet | None:
    others = [other for other in FACETS if other != name]
    found: Counter[str] = Counter()
    for cell in cells:
        if cell[name] and _fits(cell, filters, others):
            found[cell[name]] += cell["n"]
    chosen = getattr(filters, name)
    if chosen:
        found[chosen] += 0
    label, said, order = _words(name, currency)
    values = order or [value for value, _n in found.most_common(MOST_CHANNELS)]
    options = [
        Option(
            value=value,
            label=said(value),
            count=found[value],
            chosen=value == chosen,
            address=filters.address(**{name: "" if value == chosen else value}),
        )
        for value in values
        if value in found
    ]
    return Facet(name, label, options) if options else None


def _words(name: str, currency: str) -> tuple[str, Callable[[str], str], list[str]]:
    """A facet's heading, how each value is said, and the order of its values (empty: by count)."""
    if name == "channel":
        return _("Channel"), str, []
    if name == "amount":
        return _("Amount"), lambda band: _band_words(int(band), currency), list(BANDS)
    if name == "age":
        said = {"overdue": _("overdue"), "today": _("due today"), "later": _("due later")}
        return _("Due"), said.__getitem__, list(AGES)
    said = {"consortium": _("only the consortium saw it"), "veiled": _("served without score")}
    return _("Seen by"), said.__getitem__, list(ONLY)


def _band_words(band: int, currency: str) -> str:
    if band == 0:
        return _("under %(most)s") % {"most": money(AMOUNTS[0], currency)}
    if band == len(AMOUNTS):
        return _("%(least)s and more") % {"least": money(AMOUNTS[-1], currency)}
    least, most = money(AMOUNTS[band - 1], currency), money(AMOUNTS[band], currency)
    return _("%(least)s to %(most)s") % {"least": least, "most": most}
