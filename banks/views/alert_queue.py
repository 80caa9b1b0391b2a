"""The alert queue: tabs, facets, saved views, and acts on several alerts at once."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.forms import BulkForm
from banks.models import Alert, ReasonCode
from banks.selectors import alerts as selectors
from banks.services import alerts as services
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Bank, Role
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
    return _page(request, selectors.Filters.from_query(request.GET), BulkForm())


@bank_page(*REVIEWERS)
@require_POST
def start(request: Any) -> HttpResponse:
    """Take the best alert: one already in hand, else the one with the largest expected loss."""
    alert = services.claim_next(bank=request.bank, actor=request.actor)
    if alert is None:
        messages.info(request, _("Nothing waits: every open alert is in somebody's hands."))
        return redirect("banks:alerts", request.bank.slug)
    return redirect("banks:alert", request.bank.slug, alert.pk)


@bank_page(*REVIEWERS)
@require_POST
def bulk(request: Any) -> HttpResponse:
    """One act on the chosen alerts; the queue comes back and says what was skipped and why."""
    filters = _back(request)
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _page(request, filters, form, status=422)
    try:
        done = services.do_at_once(
            bank=request.bank,
            actor=request.actor,
            act=form.cleaned_data["act"],
            alert_ids=form.cleaned_data["alert"],
            **form.facts(lambda wait: snoozed_until(request.bank, wait)),
        )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, translated(refused))
        return _page(request, filters, form, status=422)
    return redirect(_address(request) + filters.address() + f"&done={done.pk}")


@bank_page(*REVIEWERS)
@require_POST
def undo_bulk(request: Any, bulk_id: uuid.UUID) -> HttpResponse:
    filters = _back(request)
    try:
        done = services.undo_bulk(bank=request.bank, actor=request.actor, bulk_id=bulk_id)
    except Refused as refused:
        messages.error(request, translated(refused))
        return redirect(_address(request) + filters.address())
    return redirect(_address(request) + filters.address() + f"&done={done.pk}")


@bank_page(*READERS)
def view(request: Any, view_id: uuid.UUID) -> HttpResponse:
    """A saved view by its lasting address; one that is gone says so and offers the others."""
    found = selectors.saved_view(request.bank, view_id)
    if found is None:
        views = selectors.saved_views(request.bank, request.user)
        return render(request, "banks/alert_view_gone.html", {"views": views}, status=404)
    return redirect(_address(request) + selectors.Filters.from_query(found.filters).address())


@bank_page(*READERS[:3])
@require_POST
def save_view(request: Any) -> HttpResponse:
    filters = _back(request)
    try:
        services.save_view(
            bank=request.bank,
            actor=request.actor,
            name=request.POST.get("name", ""),
            filters=filters.kept,
        )
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect(_address(request) + filters.address())


@bank_page(*READERS[:3])
@require_POST
def delete_view(request: Any, view_id: uuid.UUID) -> HttpResponse:
    services.delete_view(bank=request.bank, actor=request.actor, view_id=view_id)
    messages.success(request, _("The view is deleted; its alerts are where they were."))
    return redirect("banks:alerts", request.bank.slug)


def snoozed_until(bank: Bank, wait: str) -> datetime:
    """When an alert comes back, for one of the waits that the page offers."""
    now = timezone.now()
    hours = {"1h": 1, "4h": 4, "3d": 72}
    if wait in hours:
        return now + timedelta(hours=hours[wait])
    local = now.astimezone(ZoneInfo(selectors.settings_of(bank).zone))
    return local.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _back(request: Any) -> selectors.Filters:
    """The filters that the form was sent under."""
    return selectors.Filters.from_query(QueryDict(request.POST.get("back", "").lstrip("?")))


def _address(request: Any) -> str:
    return reverse("banks:alerts", args=[request.bank.slug])


def _page(
    request: Any, filters: selectors.Filters, form: BulkForm, status: int = 200
) -> HttpResponse:
    today = selectors.today_of(request.bank)
    found = selectors.queue(request.bank, request.user, filters, today)
    currency = found.alerts[0].transaction.currency if found.alerts else "JPY"
    counts = selectors.counts(request.bank, request.user, filters, currency, today)
    return render(
        request,
        "banks/alerts.html",
        {
            "filters": filters,
            "counts": counts,
            "views": _tabs(counts, filters),
            "queue": found,
            "saved": selectors.saved_views(request.bank, request.user),
            "here": filters.address(),
            "chosen": set(request.POST.getlist("alert")),
            "form": form,
            "dispositions": REASONS,
            "done": selectors.bulk_result(request.bank, request.user, request.GET.get("done", "")),
            "capacity_left": today.capacity_left,
            "settings": today.settings,
            "next_url": filters.address(after=found.next_cursor) if found.next_cursor else "",
            "first_url": filters.address() if filters.after else "",
            "may_review": request.membership.role in REVIEWERS,
            "may_save": request.membership.role != Role.AUDITOR,
        },
        status=status,
    )


def _tabs(counts: selectors.Counts, filters: selectors.Filters) -> list[tuple[str, str, int, str]]:
    """Value, label, count and address of each tab; changing it keeps nothing else but the word."""
    labels = {
        "open": _("All open"),
        "unassigned": _("Nobody's yet"),
        "mine": _("Mine"),
        "later": _("Put off"),
        "decided": _("Decided"),
    }
    bare = selectors.Filters(q=filters.q)
    return [
        (value, label, counts.of(value), bare.address(view=value))
        for value, label in labels.items()
    ]
