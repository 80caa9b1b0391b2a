"""The transparency log: browsed, computed again, taken along."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from aggregation.selectors import log as selectors
from aggregation.services.exports import export_log
from aggregation.views.saying import index
from consortium.accounts.access import centre_page


@centre_page()
def log(request: Any) -> HttpResponse:
    before, event = index(request, "before"), request.GET.get("event", "")[:40]
    found = selectors.entries(before=before, event=event, limit=selectors.PAGE + 1)
    shown, more = found[: selectors.PAGE], len(found) > selectors.PAGE
    about = {"event": event} if event else {}
    here = reverse("aggregation:log")
    context = {
        "lines": selectors.lines(shown),
        "event": event,
        "events": selectors.events(),
        "heads": selectors.heads(),
        "next_url": f"{here}?{urlencode({**about, 'before': shown[-1].index})}" if more else "",
        "previous_url": f"{here}?{urlencode(about)}" if before is not None else "",
    }
    return render(request, "aggregation/log.html", context)


@centre_page()
def verify(request: Any) -> HttpResponse:
    """A walk over the whole log: a fragment for the page, a page of its own without scripts."""
    name = "log_report" if request.htmx else "log_verified"
    return render(request, f"aggregation/{name}.html", {"report": selectors.verify_log()})


@centre_page()
def download(request: Any) -> Any:
    response = StreamingHttpResponse(
        export_log(actor=request.actor), content_type="application/x-ndjson"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="consortium-log.jsonl"'
    return response
