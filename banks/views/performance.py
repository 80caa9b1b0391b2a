"""Does it work? A version's matrix and figures at a threshold that one tries out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from banks.ml.evaluation import GRID
from banks.ml.scored import BANDS, CELLS
from banks.models import BankSettings, ModelVersion
from banks.performance_forms import ProposalForm, StudioForm
from banks.selectors import (
    charts,
    drilldown,
    performance,
    samples,
    studio,
    threshold_changes,
    transactions,
    versions,
)
from banks.selectors.drilldown import Split
from banks.selectors.studio import Studio
from consortium.accounts.access import bank_page
from consortium.accounts.models import Role
from consortium.parsing import whole_number
from consortium.templatetags.figures import MINOR_DIGITS, money

SETTERS = (Role.LEAD, Role.MODEL_OWNER)
OPENERS = (Role.ANALYST, Role.LEAD, Role.AUDITOR)


@bank_page()
def show(request: Any) -> HttpResponse:
    return studio_page(request, _chosen(request), ProposalForm())


def studio_page(
    request: Any, version: ModelVersion | None, form: ProposalForm, status: int = 200
) -> HttpResponse:
    """The studio of a version; also where a refused proposal comes back to."""
    tried = StudioForm(request.GET)
    if not tried.is_valid():
        status = 422
    figures = (
        performance.figures_of(version, cut=whole_number(request.GET, "cut")) if version else None
    )
    context: dict[str, Any] = {
        "model": version,
        "tried": tried,
        "form": form,
        "bins": GRID.bins,
        "versions": ModelVersion.objects.filter(bank=request.bank).defer("artifact")[:20],
        "may_set": request.membership.role in SETTERS,
        "may_open": request.membership.role in OPENERS,
        "samples": samples.sampled_recall(request.bank),
        "blind": samples.blind_comparison(request.bank),
    }
    if version and figures:
        context |= _studio(request, version, studio.studio(figures, **tried.wanted))
    return render(request, "banks/performance.html", context, status=status)


def _studio(request: Any, version: ModelVersion, found: Studio) -> dict[str, Any]:
    currency = transactions.currency(request.bank)
    pattern = _pattern(currency)
    rows_url = reverse("banks:rows", args=[request.bank.slug, version.number])
    opens = found.window is not None and request.membership.role in OPENERS
    return {
        "studio": found,
        "figures": found.figures,
        "currency": currency,
        "curve": charts.precision_recall(found),
        "value_chart": charts.value_against_workload(found, currency),
        "amounts": _amounts(found, currency),
        "links": _links(rows_url, found.figures.cut) if opens else {},
        "splits": [_named(split, found, rows_url, currency, opens) for split in found.splits],
        "label_sources": drilldown.label_sources(found.window) if found.window else None,
        "change": threshold_changes.open_change(version),
        "others": threshold_changes.who_may_approve(request.bank, request.user),
        "slider": studio.for_script(found, pattern),
    }


def _links(rows_url: str, cut: int, **part: str) -> dict[str, str]:
    """Where each cell of a matrix opens."""
    return {cell: f"{rows_url}?{urlencode({'cell': cell, 'cut': cut, **part})}" for cell in CELLS}


def _named(
    split: Split, found: Studio, rows_url: str, currency: str, opens: bool
) -> dict[str, Any]:
    """One line of the table of parts."""
    cut = found.figures.cut
    return {
        "kind": split.kind,
        "name": name_of(split.kind, split.value, split.name, currency),
        "confusion": split.confusion(cut),
        "links": _links(rows_url, cut, split=split.kind, value=split.value) if opens else {},
    }


def name_of(kind: str, value: str, name: str, currency: str) -> str:
    """A part of the window in words."""
    if kind != drilldown.BAND:
        return name
    band = int(value)
    if band == 0:
        return _("under %(amount)s") % {"amount": money(BANDS[0], currency)}
    if band == len(BANDS):
        return _("%(amount)s and more") % {"amount": money(BANDS[-1], currency)}
    return _("%(low)s to under %(high)s") % {
        "low": money(BANDS[band - 1], currency),
        "high": money(BANDS[band], currency),
    }


def _amounts(found: Studio, currency: str) -> dict[str, str]:
    return {cell: money(amount, currency) for cell, amount in (found.amounts or {}).items()}


def _chosen(request: Any) -> ModelVersion | None:
    """The version asked for, else the one in use, else the newest."""
    number = whole_number(request.GET, "version")
    if number is not None:
        if (found := versions.get(request.bank, number)) is None:
            raise Http404
        return found
    of_bank = ModelVersion.objects.filter(bank=request.bank).defer("artifact")
    in_use = BankSettings.objects.filter(bank=request.bank).values("scoring_version")
    return of_bank.filter(pk__in=in_use).first() or of_bank.first()


def _pattern(currency: str) -> dict[str, Any]:
    """How this reader sees one unit of money, for the slider."""
    digits = MINOR_DIGITS.get(currency, 2)
    before, _one, after = money(10**digits, currency).partition("1")
    return {
        "before": before,
        "after": after.removeprefix("." + "0" * digits) if digits else after,
        "digits": digits,
    }
