"""Alone, consortium and ensemble side by side, and whose frauds each of them caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from banks.selectors import drilldown, performance, together, transactions, versions
from banks.selectors.together import Pairing
from banks.services.exports import note_export
from banks.views.drilldown import COLUMNS, lines
from banks.views.performance import OPENERS, name_of
from consortium.accounts.access import bank_page
from consortium.exports import csv_response
from consortium.parsing import whole_number


@dataclass(frozen=True)
class Gain:
    """A version against the bank's own model, as the page shows it."""

    comparison: Any
    pairing: Pairing | None
    links: dict[str, str]
    parts: list[dict[str, Any]]
    months: list[together.Part]


@bank_page()
def show(request: Any) -> HttpResponse:
    sides = performance.side_by_side(request.bank)
    currency = transactions.currency(request.bank)
    zone = together.zone_of(request.bank)
    return render(
        request,
        "banks/together.html",
        {
            "sides": sides,
            "currency": currency,
            "curves": performance.curve_chart(
                [(str(side.figures.version), side.figures.histogram) for side in sides]
            ),
            "gains": [
                _gain(request, side.comparison, currency, zone) for side in sides if side.comparison
            ],
            "left_out": together.left_out(
                request.bank, [side.figures.evaluation for side in sides]
            ),
            "may_open": request.membership.role in OPENERS,
        },
    )


@bank_page(*OPENERS)
def rows(request: Any, number: int) -> HttpResponse:
    """The frauds that only one of two models catches, that both do, or neither."""
    found, who = _asked(request, number)
    after = whole_number(request.GET, "after") or 0
    opened = drilldown.opened(found.window, found.caught(who), after=after)
    address = reverse("banks:export-caught", args=[request.bank.slug, number])
    return render(
        request,
        "banks/caught.html",
        {
            "comparison": found.comparison,
            "found": opened,
            "title": _titles()[who],
            "currency": transactions.currency(request.bank),
            "back": reverse("banks:together", args=[request.bank.slug]),
            "csv_url": f"{address}?{urlencode({'by': who})}",
            "next_url": f"?{urlencode({'by': who, 'after': opened.next_after})}"
            if opened.next_after
            else "",
            "first_url": f"?{urlencode({'by': who})}" if after else "",
        },
    )


@bank_page(*OPENERS)
def export(request: Any, number: int) -> HttpResponse:
    """The same rows as a file; that it was taken is written down."""
    found, who = _asked(request, number)
    which = found.caught(who)
    note_export(
        bank=request.bank,
        actor=request.actor,
        what="caught frauds",
        target=found.comparison.version,
        by=who,
        rows=int(which.sum()),
    )
    name = f"{request.bank.slug}-v{number}-caught-by-{who}.csv"
    return csv_response(file_name=name, header=COLUMNS, rows=lines(found.window, which))


def _gain(request: Any, comparison: Any, currency: str, zone: str) -> Gain:
    found = together.pairing(comparison)
    address = reverse("banks:caught", args=[request.bank.slug, comparison.version.number])
    opens = found is not None and request.membership.role in OPENERS
    return Gain(
        comparison=comparison,
        pairing=found,
        links={who: f"{address}?{urlencode({'by': who})}" for who in together.WHO} if opens else {},
        parts=[
            {"part": part, "name": name_of(part.kind, part.value, part.name, currency)}
            for part in (found.parts() if found else [])
        ],
        months=list(found.months(zone)) if found else [],
    )


def _asked(request: Any, number: int) -> tuple[Pairing, str]:
    version = versions.get(request.bank, number)
    comparison = together.newest_comparison(version) if version else None
    found = together.pairing(comparison) if comparison else None
    who = request.GET.get("by", "version")
    if found is None or who not in together.WHO:
        raise Http404
    return found, who


def _titles() -> dict[str, str]:
    return {
        "version": _("Frauds that only this model catches"),
        "baseline": _("Frauds that only your own model catches"),
        "both": _("Frauds that both catch"),
        "neither": _("Frauds that neither catches"),
    }
