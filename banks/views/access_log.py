"""Who looked and who took along: read, filtered, taken along itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from banks.selectors.access_log import PERIODS, Wanted, everything, looks
from banks.services.access_log import note_export
from consortium.accounts.access import bank_page
from consortium.accounts.models import Role
from consortium.exports import csv_response
from consortium.parsing import whole_number

READERS = (Role.BANK_ADMIN, Role.AUDITOR)
COLUMNS = ("at", "who", "act", "what", "target", "by program")


class AccessForm(forms.Form):
    who = forms.CharField(label=_("Who"), max_length=120, required=False)
    act = forms.ChoiceField(
        label=_("Viewed or exported"),
        choices=[("", _("both")), ("viewed", _("viewed")), ("exported", _("exported"))],
        required=False,
    )
    days = forms.TypedChoiceField(
        label=_("Last days"),
        choices=[(days, days) for days in PERIODS],
        coerce=int,
        required=False,
    )


@bank_page(*READERS)
def listing(request: Any) -> HttpResponse:
    form = AccessForm(request.GET or {"days": 30})
    wanted = _wanted(form)
    before = whole_number(request.GET, "before")
    page = looks(request.bank, wanted, before=before)
    query = {name: value for name, value in request.GET.items() if name != "before" and value}
    context = {
        "form": form,
        "wanted": wanted,
        "page": page,
        "query": urlencode(query),
        "next_url": f"?{urlencode({**query, 'before': page.next_before})}"
        if page.next_before
        else "",
        "first_url": f"?{urlencode(query)}" if before is not None else "",
    }
    return render(request, "banks/access_log.html", context, status=200 if form.is_valid() else 422)


@bank_page(*READERS)
def export(request: Any) -> HttpResponse:
    form = AccessForm(request.GET)
    wanted = _wanted(form)
    found = everything(request.bank, wanted)
    note_export(actor=request.actor, bank=request.bank, days=wanted.days)
    return csv_response(
        file_name=f"access-{request.bank.slug}.csv",
        header=COLUMNS,
        rows=(
            (o.at.isoformat(), o.who, o.act, o.what, o.target, "yes" if o.by_program else "")
            for o in found
        ),
    )


def _wanted(form: AccessForm) -> Wanted:
    """What was asked for; what was left empty as if it had not been asked."""
    if not form.is_valid():
        return Wanted()
    return Wanted(**{name: value for name, value in form.cleaned_data.items() if value})
