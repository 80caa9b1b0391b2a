"""What the bank decides for itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from banks.forms import SettingsForm
from banks.services.settings import change_settings
from banks.services.versions import settings_row
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused


@bank_page(Role.BANK_ADMIN, Role.MODEL_OWNER, Role.LEAD, Role.AUDITOR)
def settings(request: Any) -> HttpResponse:
    row = settings_row(request.bank)
    form = SettingsForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            change_settings(bank=request.bank, actor=request.actor, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, translated(refused))
        else:
            messages.success(request, _("Saved."))
            return redirect("banks:settings", request.bank.slug)
    return render(
        request,
        "banks/settings.html",
        {
            "form": form,
            "row": row,
            "may_change": request.membership.role != Role.AUDITOR,
        },
        status=422 if form.errors else 200,
    )
