"""Changing a threshold: proposed on the studio's page, answered by a second person."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.models import ModelVersion
from banks.performance_forms import ProposalForm
from banks.selectors import threshold_changes as selectors
from banks.selectors import versions
from banks.services import threshold_changes as services
from banks.views.performance import SETTERS, studio_page
from consortium.accounts.access import bank_page, translated
from consortium.protocol.errors import Refused


@bank_page()
def listing(request: Any) -> HttpResponse:
    """What waits, what is scheduled, and what was in force when."""
    return render(
        request,
        "banks/threshold_changes.html",
        {
            "waiting": [
                (change, selectors.effect_of(change)) for change in selectors.waiting(request.bank)
            ],
            "changes": selectors.closed(request.bank),
            "in_force": selectors.in_force(request.bank),
            "may_set": request.membership.role in SETTERS,
            "others": selectors.who_may_approve(request.bank, request.user),
        },
    )


@bank_page(*SETTERS)
@require_POST
def propose(request: Any, number: int) -> HttpResponse:
    """Ask the second person; what was typed stays if that is refused."""
    version = _version_or_404(request, number)
    form = ProposalForm(request.POST)
    if form.is_valid():
        try:
            services.propose(
                bank=request.bank,
                actor=request.actor,
                version_id=version.pk,
                **form.cleaned_data,
            )
        except Refused as refused:
            form.add_error(refused.field, translated(refused))
        else:
            messages.success(request, _("Proposed. It waits for a second person."))
            return redirect("banks:threshold-changes", request.bank.slug)
    return studio_page(request, version, form, status=422)


@bank_page(*SETTERS)
@require_POST
def act(request: Any, change_id: uuid.UUID, act: str) -> HttpResponse:
    """Approve, send back or withdraw a change."""
    if not selectors.exists(request.bank, change_id):
        raise Http404
    note = request.POST.get("note", "")
    acts: dict[str, tuple[Callable[..., object], str]] = {
        "approve": (partial(services.approve, note=note), _("Approved.")),
        "return": (partial(services.send_back, note=note), _("Sent back.")),
        "withdraw": (services.withdraw, _("Withdrawn.")),
    }
    change, done = acts[act]
    return _done(request, partial(change, change_id=change_id), done)


@bank_page(*SETTERS)
@require_POST
def roll_back(request: Any, number: int) -> HttpResponse:
    """Bring back the threshold before."""
    version = _version_or_404(request, number)
    back = partial(services.roll_back, version_id=version.pk, reason=request.POST.get("reason", ""))
    return _done(request, back, _("The threshold before is in force again."))


def _done(request: Any, change: Callable[..., object], done: str) -> HttpResponse:
    try:
        change(bank=request.bank, actor=request.actor)
        messages.success(request, done)
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:threshold-changes", request.bank.slug)


def _version_or_404(request: Any, number: int) -> ModelVersion:
    version = versions.get(request.bank, number)
    if version is None:
        raise Http404
    return version
