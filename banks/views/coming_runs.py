"""What the consortium's coming runs will take this bank, before they start."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_list_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.coordinator import Unreachable
from banks.models import TrustedRoster
from banks.selectors import estimates
from banks.services.rounds.estimates import rehearsing
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.MODEL_OWNER, Role.BANK_ADMIN, Role.AUDITOR)
MEASURERS = (Role.MODEL_OWNER, Role.BANK_ADMIN)


@bank_page(*READERS)
def coming(request: Any) -> HttpResponse:
    found, trouble = [], ""
    try:
        found = estimates.coming(request.bank)
    except Unreachable:
        trouble = _("The coordinator does not answer. Try again in a minute.")
    except Refused as refused:
        trouble = translated(refused)
    context = {
        "coming": found,
        "trouble": trouble,
        "may_measure": request.membership.role in MEASURERS,
    }
    return render(request, "banks/coming_runs.html", context)


@require_POST
@bank_page(*MEASURERS)
def measure(request: Any, task: uuid.UUID) -> HttpResponse:
    """Ask this bank's worker to measure; a task that this bank has no part in is not there."""
    get_list_or_404(TrustedRoster, bank=request.bank, task=task)
    rehearsing.ask(bank=request.bank, task=str(task), actor=request.actor)
    messages.success(
        request, _("This bank's worker is measuring. Load the page again in a minute.")
    )
    return redirect("banks:coming-runs", request.bank.slug)
