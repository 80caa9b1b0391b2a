"""My work: what waits for me, how the bank's model is doing, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from banks.selectors import cases
from banks.selectors.alerts import today_of
from banks.selectors.overview import overview
from banks.selectors.threshold_changes import waiting_for
from banks.selectors.work import Waiting, approvals, waits_for_approval, work_of
from banks.views.alert_queue import REVIEWERS
from consortium.accounts.access import bank_page
from consortium.accounts.models import Bank, Membership


@bank_page()
def work(request: Any) -> HttpResponse:
    today = today_of(request.bank)
    may_review = request.membership.role in REVIEWERS
    may_read_cases = request.membership.role in cases.READERS
    mine, late = cases.mine_and_late(request.bank, request.user) if may_read_cases else ([], 0)
    return render(
        request,
        "banks/work.html",
        {
            "found": overview(request.bank, today),
            "work": work_of(request.bank, request.user, today),
            "approvals": approvals(request.membership),
            "may_review": may_review,
            "may_read_cases": may_read_cases,
            "cases": mine,
            "late_cases": late,
        },
    )


@waits_for_approval
def proposed_thresholds(membership: Membership) -> Iterator[Waiting]:
    """Thresholds that a colleague proposed."""
    bank = cast(Bank, membership.bank)
    for change in waiting_for(membership):
        yield Waiting(
            title=_("A new threshold for %(version)s") % {"version": change.version},
            url=reverse("banks:threshold-changes", args=[bank.slug]),
            since=change.proposed_at,
            by=str(change.proposed_by or ""),
        )
