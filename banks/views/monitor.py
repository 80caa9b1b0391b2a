"""The monitor: what drifts, what is missing, and a training that waits for somebody's yes."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks import wake
from banks.selectors import monitor as selectors
from banks.services import monitor as services
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

DECIDERS = (Role.LEAD, Role.MODEL_OWNER)


@bank_page()
def show(request: Any) -> HttpResponse:
    found = selectors.monitor_of(request.bank)
    problem = found.reference and found.reference.problem
    return render(
        request,
        "banks/monitor.html",
        {
            "monitor": found,
            "charts": selectors.charts(found),
            "recent_days": selectors.RECENT,
            "problem": translated(
                Refused(
                    found.reference.problem,
                    found.reference.problem_sentence,
                    **found.reference.problem_params,
                )
            )
            if found.reference and problem
            else "",
            "may_decide": request.membership.role in DECIDERS,
        },
    )


@bank_page(*DECIDERS)
@require_POST
def check(request: Any) -> HttpResponse:
    """Ask the worker to look now."""
    wake.for_monitor(request.bank)
    messages.success(request, _("The worker looks now; reload the page in a moment."))
    return redirect("banks:monitor", request.bank.slug)


@bank_page(*DECIDERS)
@require_POST
def approve(request: Any, proposal_id: uuid.UUID) -> HttpResponse:
    _proposal_or_404(request, proposal_id)
    try:
        run = services.approve(
            bank=request.bank,
            actor=request.actor,
            proposal_id=proposal_id,
            note=request.POST.get("note", ""),
        )
    except Refused as refused:
        messages.error(request, translated(refused))
        return redirect("banks:monitor", request.bank.slug)
    wake.for_training(request.bank, run.pk)
    messages.success(request, _("Approved; the training is queued."))
    return redirect("banks:monitor", request.bank.slug)


@bank_page(*DECIDERS)
@require_POST
def decline(request: Any, proposal_id: uuid.UUID) -> HttpResponse:
    _proposal_or_404(request, proposal_id)
    try:
        services.decline(
            bank=request.bank,
            actor=request.actor,
            proposal_id=proposal_id,
            note=request.POST.get("note", ""),
        )
        messages.success(request, _("Declined. The same model is not asked about for 14 days."))
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:monitor", request.bank.slug)


def _proposal_or_404(request: Any, proposal_id: uuid.UUID) -> None:
    if not selectors.has_proposal(request.bank, proposal_id):
        raise Http404
