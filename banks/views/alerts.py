"""The alert queue and one alert: facts, activity, assessment, decision."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.forms import DecisionForm
from banks.models import Alert, ReasonCode
from banks.selectors import alerts as selectors
from banks.selectors.reasons import sentences
from banks.services import alerts as services
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.AUDITOR)
REVIEWERS = (Role.ANALYST, Role.LEAD)
REASONS = [
    (disposition, disposition.label, [(code, ReasonCode(code).label) for code in codes])
    for disposition, codes in (
        (Alert.Disposition(value), codes) for value, codes in services.REASONS.items()
    )
]


@bank_page(*READERS)
def queue(request: Any) -> HttpResponse:
    filters = selectors.Filters.from_query(request.GET)
    counts = selectors.counts(request.bank, request.user)
    found = selectors.queue(request.bank, request.user, filters)
    query = {name: value for name, value in request.GET.items() if name != "after"}
    return render(
        request,
        "banks/alerts.html",
        {
            "filters": filters,
            "counts": counts,
            "views": [
                ("open", _("All open"), counts.open),
                ("unassigned", _("Nobody's yet"), counts.unassigned),
                ("mine", _("Mine"), counts.mine),
                ("decided", _("Decided"), counts.decided_today),
            ],
            "queue": found,
            "capacity_left": selectors.capacity_left(request.bank),
            "next_url": f"?{urlencode({**query, 'after': found.next_cursor})}"
            if found.next_cursor
            else "",
            "first_url": f"?{urlencode(query)}" if filters.after else "",
            "may_review": request.membership.role in REVIEWERS,
        },
    )


@bank_page(*READERS)
def detail(request: Any, alert_id: uuid.UUID) -> HttpResponse:
    return _page(request, alert_id, DecisionForm())


@bank_page(*REVIEWERS)
@require_POST
def start(request: Any) -> HttpResponse:
    """Take the alert with the largest expected loss."""
    alert = services.claim_next(bank=request.bank, actor=request.actor)
    if alert is None:
        messages.info(request, _("Nothing waits: every open alert is in somebody's hands."))
        return redirect("banks:alerts", request.bank.slug)
    return redirect("banks:alert", request.bank.slug, alert.pk)


@bank_page(*REVIEWERS)
@require_POST
def act(request: Any, alert_id: uuid.UUID, act: str) -> HttpResponse:
    """Take, put back, comment or take a decision back."""
    acts: dict[str, Callable[..., object]] = {
        "claim": services.claim,
        "release": services.release,
        "comment": partial(services.comment, text=request.POST.get("text", "")),
        "reopen": partial(services.reopen, reason=request.POST.get("reason", "")),
    }
    _alert_or_404(request, alert_id)
    try:
        acts[act](bank=request.bank, actor=request.actor, alert_id=alert_id)
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:alert", request.bank.slug, alert_id)


@bank_page(*REVIEWERS)
@require_POST
def decide(request: Any, alert_id: uuid.UUID) -> HttpResponse:
    """Close the alert and go to the next; what was typed stays if that is refused."""
    alert = _alert_or_404(request, alert_id)
    form = DecisionForm(request.POST)
    form.is_valid()
    try:
        services.decide(
            bank=request.bank,
            actor=request.actor,
            alert_id=alert_id,
            disposition=form.data.get("disposition", ""),
            reason_code=form.data.get("reason_code", ""),
            note=form.data.get("note", ""),
        )
    except Refused as refused:
        form.errors.clear()
        form.add_error(refused.field, translated(refused))
        return _page(request, alert_id, form, status=getattr(refused, "http_status", 422))
    after = selectors.following(request.bank, alert)
    if after is None:
        messages.success(request, _("Decided. Nothing else waits."))
        return redirect("banks:alert", request.bank.slug, alert_id)
    response = redirect("banks:alert", request.bank.slug, after.pk)
    response["Location"] += f"?decided={alert_id}"
    return response


def _page(request: Any, alert_id: uuid.UUID, form: DecisionForm, status: int = 200) -> HttpResponse:
    alert = _alert_or_404(request, alert_id)
    mine = alert.claimed_by_id == request.user.pk
    return render(
        request,
        "banks/alert.html",
        {
            "alert": alert,
            "activity": selectors.activity(alert.transaction),
            "reasons": sentences(alert.reasons, alert.transaction.currency),
            "events": alert.events.select_related("user"),
            "form": form,
            "dispositions": REASONS,
            "may_decide": request.membership.role in REVIEWERS
            and (alert.status == Alert.Status.OPEN or (alert.status == "claimed" and mine)),
            "may_review": request.membership.role in REVIEWERS,
            "mine": mine,
            "just_decided": _just_decided(request),
        },
        status=status,
    )


def _just_decided(request: Any) -> Alert | None:
    """The alert decided a moment ago, so that it can be taken back."""
    try:
        alert_id = uuid.UUID(request.GET.get("decided", ""))
    except ValueError:
        return None
    found = selectors.get(request.bank, alert_id)
    return found if found and found.decided_by_id == request.user.pk else None


def _alert_or_404(request: Any, alert_id: uuid.UUID) -> Alert:
    alert = selectors.get(request.bank, alert_id)
    if alert is None:
        raise Http404
    return alert
