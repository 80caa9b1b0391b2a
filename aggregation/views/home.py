"""The operator's first page: the one next step, and how everything stands."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from aggregation.selectors import agreements, members, operations, overview, performance, progress
from consortium.accounts.access import centre_page


@centre_page()
def home(request: Any) -> HttpResponse:
    known, agreed = members.members(), agreements.agreements()
    context = {
        "step": overview.next_step(known, agreed),
        "alarms": operations.alarms(known),
        "members": known,
        "agreements": agreed,
        "going": progress.going(),
        "measured": performance.newest(),
    }
    return render(request, "aggregation/home.html", context)
