"""The transactions behind a number: as a page in the order of their scores, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from banks.ml.scored import Mask
from banks.models import Label
from banks.selectors import drilldown, performance, transactions, versions
from banks.selectors.drilldown import Selection, Window
from banks.selectors.performance import Figures
from banks.services.exports import note_export
from banks.views.performance import OPENERS, name_of
from consortium.accounts.access import bank_page
from consortium.exports import csv_response
from consortium.parsing import whole_number

COLUMNS = (
    "transaction",
    "time",
    "account",
    "counterparty",
    "amount",
    "currency",
    "channel",
    "score",
    "label_when_judged",
    "label_now",
    "alert",
    "note",
)


@dataclass(frozen=True, eq=False)
class Asked:
    """What an address asks for, found."""

    figures: Figures
    window: Window
    selection: Selection
    which: Mask


@bank_page(*OPENERS)
def rows(request: Any, number: int) -> HttpResponse:
    asked = _asked(request, number)
    after = whole_number(request.GET, "after") or 0
    found = drilldown.opened(asked.window, asked.which, after=after)
    query = {name: value for name, value in request.GET.items() if name != "after"}
    selection, currency = asked.selection, transactions.currency(request.bank)
    studio = reverse("banks:performance", args=[request.bank.slug])
    whole = {name: query[name] for name in ("cell", "cut") if name in query}
    return render(
        request,
        "banks/rows.html",
        {
            "figures": asked.figures,
            "found": found,
            "title": _titles()[selection.cell],
            "part": _part(asked, currency) if selection.split else "",
            "whole_url": f"?{urlencode(whole)}",
            "currency": currency,
            "back": f"{studio}?{urlencode({'version': number, 'cut': selection.cut})}",
            "csv_url": f"{reverse('banks:export-rows', args=[request.bank.slug, number])}"
            f"?{urlencode(query)}",
            "next_url": f"?{urlencode({**query, 'after': found.next_after})}"
            if found.next_after
            else "",
            "first_url": f"?{urlencode(query)}" if after else "",
        },
    )


@bank_page(*OPENERS)
def export(request: Any, number: int) -> HttpResponse:
    """The same rows as a file; that it was taken is written down."""
    asked = _asked(request, number)
    selection = asked.selection
    note_export(
        bank=request.bank,
        actor=request.actor,
        what="evaluated rows",
        target=asked.figures.version,
        cell=selection.cell,
        cut=selection.cut,
        part=f"{selection.split} {selection.value}".strip(),
        rows=int(asked.which.sum()),
    )
    name = f"{request.bank.slug}-v{number}-{selection.cell}.csv"
    return csv_response(file_name=name, header=COLUMNS, rows=lines(asked.window, asked.which))


def lines(window: Window, which: Mask) -> Iterator[tuple[Any, ...]]:
    """Chosen rows as the file's lines, the highest score first."""
    for row in drilldown.rows_at(window, window.rows.by_score(which)):
        found = row.transaction
        yield (
            found.external_id,
            found.time.isoformat(),
            found.account,
            found.counterparty,
            found.amount,
            found.currency,
            found.channel,
            f"{row.probability:.6f}",
            Label(row.label).name.lower(),
            "" if found.label is None else Label(found.label).name.lower(),
            row.alert.status if row.alert else "",
            row.note,
        )


def _asked(request: Any, number: int) -> Asked:
    version = versions.get(request.bank, number)
    cut = whole_number(request.GET, "cut")
    figures = performance.figures_of(version, cut=cut) if version else None
    window = drilldown.window_of(figures.evaluation) if figures else None
    selection = Selection.from_query(request.GET, figures.cut) if figures else None
    which = drilldown.chosen(window, selection) if window and selection else None
    if figures is None or window is None or selection is None or which is None:
        raise Http404
    return Asked(figures, window, selection, which)


def _part(asked: Asked, currency: str) -> str:
    """The part of the window in words, for the chip that takes it away."""
    selection = asked.selection
    name = dict(asked.window.names(selection.split)).get(selection.value, selection.value)
    return name_of(selection.split, selection.value, name, currency)


def _titles() -> dict[str, str]:
    return {
        "tp": _("Fraud caught"),
        "fn": _("Fraud missed"),
        "fp": _("False alarms"),
        "tn": _("Rightly left alone"),
    }
