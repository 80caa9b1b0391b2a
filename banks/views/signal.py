"""The cross-bank signal: what it tells, what it discloses, what it is worth, who agreed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks import wake
from banks.coordinator import Unreachable
from banks.selectors import signal as selectors
from banks.services.rounds.node import Node
from banks.services.signal import consent
from consortium.accounts import audit
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.LEAD, Role.BANK_ADMIN, Role.MODEL_OWNER, Role.AUDITOR)
MEASURERS = (Role.MODEL_OWNER, Role.BANK_ADMIN)


@bank_page(*READERS)
def signal(request: Any) -> HttpResponse:
    agreements, trouble = [], ""
    try:
        agreements = selectors.agreements(request.bank)
    except Unreachable:
        trouble = _("The coordinator does not answer, so terms and votes cannot be shown now.")
    except Refused as refused:
        trouble = translated(refused)
    context = {
        "standing": selectors.standing(request.bank),
        "agreements": agreements,
        "trouble": trouble,
        "may_decide": request.membership.role == Role.BANK_ADMIN,
        "may_measure": request.membership.role in MEASURERS,
    }
    return render(request, "banks/signal.html", context)


@require_POST
@bank_page(Role.BANK_ADMIN)
def decide(request: Any, task: uuid.UUID) -> HttpResponse:
    """Accept or refuse exactly the terms that were shown."""
    accept = request.POST.get("word") == "accept"
    consent.decide_shown(
        node=Node(request.bank),
        actor=request.actor,
        task=str(task),
        shown=request.POST.get("terms", ""),
        accept=accept,
    )
    messages.success(
        request, _("The terms are accepted.") if accept else _("The terms are refused.")
    )
    return redirect("banks:signal", request.bank.slug)


@require_POST
@bank_page(*MEASURERS)
def measure(request: Any) -> HttpResponse:
    audit.record(actor=request.actor, verb="signal.price.requested", bank=request.bank)
    wake.for_signal_price(request.bank)
    messages.success(
        request, _("This bank's worker is measuring. Load the page again in a minute.")
    )
    return redirect("banks:signal", request.bank.slug)
