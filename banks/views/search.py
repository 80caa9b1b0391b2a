"""The search box of a bank's header: one word, everything that bears it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from banks.selectors import search as selectors
from consortium.accounts.access import bank_page


@bank_page(*selectors.ALERT_READERS)
@require_GET
def search(request: Any) -> HttpResponse:
    q = request.GET.get("q", "").strip()[:80]
    return render(
        request,
        "banks/search.html",
        {
            "q": q,
            "groups": selectors.search(request.membership, q),
            "too_short": len(q) < selectors.SHORTEST,
            "most": selectors.MOST,
        },
    )
