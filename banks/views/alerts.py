"""One alert: facts, activity, assessment, decision."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.forms import DecisionForm
from banks.models import Alert
from banks.selectors import alerts as selectors
from banks.selectors import signal
from banks.selectors.reasons import sentences
from banks.services import alerts as services
from banks.views.alert_queue import READERS, REASONS, REVIEWERS, snoozed_until
from consortium.accounts.access import bank_page, translated
from consortium.accounts.keeping import keeps_typed, typed_before
from consortium.protocol.errors import Refused


@bank_page(*READERS)
def detail(request: Any, alert_id: uuid.UUID) -> HttpResponse:
    typed = typed_before(request)
    if typed:
        messages.warning(
            request,
            _("You had been signed out, so nothing was saved. What you wrote is here again."),
        )
    return _page(request, alert_id, DecisionForm(typed))


@bank_page(*REVIEWERS)
@require_POST
def act(request: Any, alert_id: uuid.UUID, act: str) -> HttpResponse:
    """Take, put back, put off, comment, undo or take a decision back."""
    acts: dict[str, Callable[..., object]] = {
        "claim": services.claim,
        "release": services.release,
        "snooze": partial(
            services.snooze,
            until=snoozed_until(request.bank, request.POST.get("wait", "")),
            reason=request.POST.get("reason", ""),
        ),
        "comment": partial(services.comment, text=request.POST.get("text", "")),
        "undo": services.undo,
        "reopen": partial(services.reopen, reason=request.POST.get("reason", "")),
    }
    _alert_or_404(request, alert_id)
    try:
        acts[act](bank=request.bank, actor=request.actor, alert_id=alert_id)
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:alert", request.bank.slug, alert_id)


def _own_page(bank: str, alert_id: uuid.UUID) -> str:
    return reverse("banks:alert", args=[bank, alert_id])


@keeps_typed("disposition", "reason_code", "note", page=_own_page)
@bank_page(*REVIEWERS)
@require_POST
def decide(request: Any, alert_id: uuid.UUID) -> HttpResponse:
    """Close the alert and take the next; what was typed stays if that is refused."""
    _alert_or_404(request, alert_id)
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
    after = services.claim_next(bank=request.bank, actor=request.actor)
    if after is None:
        messages.success(request, _("Decided. Nothing else waits."))
        return redirect("banks:alert", request.bank.slug, alert_id)
    response = redirect("banks:alert", request.bank.slug, after.pk)
    response["Location"] += f"?decided={alert_id}"
    return response


def _page(request: Any, alert_id: uuid.UUID, form: DecisionForm, status: int = 200) -> HttpResponse:
    alert = _alert_or_404(request, alert_id)
    mine = alert.claimed_by_id == request.user.pk
    may_review = request.membership.role in REVIEWERS
    just_decided = _just_decided(request)
    activity = selectors.activity(alert.transaction)
    return render(
        request,
        "banks/alert.html",
        {
            "alert": alert,
            "activity": activity,
            "moments": selectors.timeline(alert, activity),
            "related": selectors.related(alert.transaction),
            **({} if alert.veiled else _assessment(alert)),
            "facts_first": selectors.settings_of(request.bank).facts_first,
            "actions": selectors.actions(alert, request.membership),
            "events": alert.events.select_related("user"),
            "form": form,
            "dispositions": REASONS,
            "may_decide": may_review
            and (alert.status == Alert.Status.OPEN or (alert.status == "claimed" and mine)),
            "may_review": may_review,
            "mine": mine,
            "just_decided": just_decided,
            "undo_seconds": services.undo_seconds_left(just_decided, request.actor)
            if just_decided
            else 0,
        },
        status=status,
    )


def _assessment(alert: Alert) -> dict[str, Any]:
    """What the model said, in words: only for who may see it by now."""
    values = selectors.features_of(alert)
    told = sentences(alert.reasons, alert.transaction.currency, values)
    return {
        "reasons_for": [reason for reason in told if reason.suspicious],
        "reasons_against": [reason for reason in told if not reason.suspicious],
        "alike": selectors.alike(alert),
        "members": signal.seen_by_members(alert),
        "similar": selectors.similar(alert, values),
    }


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
