"""A month of the desk on one page that prints, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from banks.selectors import transactions
from banks.selectors.monthly import Month, month_of
from banks.services.exports import note_export
from consortium.accounts.access import bank_page
from consortium.exports import csv_response

COLUMNS = ("figure", "value", "low_95", "high_95", "n", "unit")


@bank_page()
def show(request: Any) -> HttpResponse:
    return render(
        request,
        "banks/month.html",
        {
            "month": _month(request),
            "currency": transactions.currency(request.bank),
            "made_at": timezone.now(),
        },
    )


@bank_page()
def export(request: Any) -> HttpResponse:
    """The same figures as a file; that it was taken is written down."""
    month = _month(request)
    note_export(
        bank=request.bank,
        actor=request.actor,
        what="monthly performance",
        month=f"{month.first:%Y-%m}",
    )
    name = f"{request.bank.slug}-performance-{month.first:%Y-%m}.csv"
    currency = transactions.currency(request.bank)
    return csv_response(file_name=name, header=COLUMNS, rows=figures(month, currency))


def figures(month: Month, currency: str) -> Iterator[tuple[Any, ...]]:
    """(figure, value, low, high, n, unit); amounts in minor units, what is unknown stays empty."""
    counts, money = month.counts, f"minor units of {currency}"
    for name in ("raised", "decided", "fraud", "genuine", "cannot_tell"):
        yield f"alerts_{name}", counts[name], None, None, counts["raised"], "alerts"
    for name, share in (("precision", month.precision), ("decided_in_time", month.in_time)):
        found = share.interval
        ends = (found.low, found.high) if found else (None, None)
        yield name, share.value, *ends, share.whole, "share"
    recall, found = month.recall, month.recall.interval
    ends = (found.low, found.high) if found else (None, None)
    yield "recall_estimate", recall.value, *ends, recall.judged, "share"
    yield "median_hours_to_decision", month.median_hours, None, None, len(month.hours), "hours"
    yield "fraud_value_found", counts["fraud_amount"], None, None, counts["fraud"], money
    yield "value_saved", month.saved, None, None, counts["fraud"], money
    only = counts["only_seen_together"]
    yield "fraud_only_consortium", only, None, None, counts["fraud"], "alerts"
    yield "value_only_consortium", counts["only_seen_together_amount"], None, None, only, money
    for source, n, learned in month.labels:
        yield f"labels: {source}", n, None, None, n, "labels"
        yield f"labels learned from: {source}", learned, None, None, n, "labels"


def _month(request: Any) -> Month:
    month = month_of(request.bank, request.GET.get("month", ""))
    if month is None:
        raise Http404
    return month
