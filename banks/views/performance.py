"""Does it work? Matrix, curve and threshold of a version; alone, consortium, ensemble together."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.forms import ThresholdForm
from banks.ml.evaluation import GRID
from banks.models import BankSettings, ModelVersion
from banks.selectors import performance, transactions, versions
from banks.services.thresholds import set_threshold
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.parsing import whole_number
from consortium.protocol.errors import Refused
from consortium.templatetags.figures import MINOR_DIGITS, money

SETTERS = (Role.LEAD, Role.MODEL_OWNER)


@bank_page()
def show(request: Any) -> HttpResponse:
    return _page(request, _chosen(request), ThresholdForm())


@bank_page(*SETTERS)
@require_POST
def threshold(request: Any, number: int) -> HttpResponse:
    """Put a new threshold in force, with why."""
    version = versions.get(request.bank, number)
    if version is None:
        raise Http404
    form = ThresholdForm(request.POST)
    if form.is_valid():
        try:
            set_threshold(
                bank=request.bank,
                actor=request.actor,
                version_id=version.pk,
                **form.cleaned_data,
            )
        except Refused as refused:
            form.add_error(refused.field, translated(refused))
        else:
            messages.success(request, _("The new threshold is in force."))
            return redirect("banks:model", request.bank.slug, number)
    return _page(request, version, form, status=422)


def _page(
    request: Any, version: ModelVersion | None, form: ThresholdForm, status: int = 200
) -> HttpResponse:
    cut = whole_number(request.GET, "cut")
    figures = performance.figures_of(version, cut=cut) if version else None
    sides = performance.side_by_side(request.bank)
    currency = transactions.currency(request.bank)
    return render(
        request,
        "banks/performance.html",
        {
            "model": version,
            "figures": figures,
            "sides": sides,
            "curves": performance.curve_chart(
                [(str(side.figures.version), side.figures.histogram) for side in sides]
            ),
            "versions": ModelVersion.objects.filter(bank=request.bank).defer("artifact")[:20],
            "form": form,
            "may_set": request.membership.role in SETTERS,
            "currency": currency,
            "slider": {**figures.for_slider(), "money": _pattern(currency)} if figures else None,
            "bins": GRID.bins,
        },
        status=status,
    )


def _chosen(request: Any) -> ModelVersion | None:
    """The version asked for, else the one in use, else the newest."""
    number = whole_number(request.GET, "version")
    if number is not None:
        if (found := versions.get(request.bank, number)) is None:
            raise Http404
        return found
    settings = BankSettings.objects.filter(bank=request.bank).first()
    of_bank = ModelVersion.objects.filter(bank=request.bank).defer("artifact")
    if settings and settings.scoring_version_id:
        return of_bank.get(pk=settings.scoring_version_id)
    return of_bank.first()


def _pattern(currency: str) -> dict[str, Any]:
    """How this reader sees one unit of money, for the slider."""
    digits = MINOR_DIGITS.get(currency, 2)
    before, _one, after = money(10**digits, currency).partition("1")
    return {
        "before": before,
        "after": after.removeprefix("." + "0" * digits) if digits else after,
        "digits": digits,
    }
