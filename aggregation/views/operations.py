"""The operator's console: whether the centre works, and which bank's node is heard of."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from aggregation.selectors import operations as selectors
from consortium.accounts.access import centre_page


@centre_page()
def operations(request: Any) -> HttpResponse:
    context = {
        "found": selectors.operations(),
        "one_machine": settings.DEMO,
    }
    template = "operations_live" if request.htmx else "operations"
    return render(request, f"aggregation/{template}.html", context)
