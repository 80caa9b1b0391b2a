"""The bank's guided way in: one page that shows where it stands and the one thing to do."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from banks.connection import Hop
from banks.selectors.joining import joining
from banks.services.connection import probe_connection
from consortium.accounts.access import bank_page
from consortium.accounts.models import Role

READERS = (Role.BANK_ADMIN, Role.MODEL_OWNER, Role.AUDITOR)
TESTERS = (Role.BANK_ADMIN, Role.MODEL_OWNER)


@bank_page(*READERS)
def onboarding(request: Any) -> HttpResponse:
    return _page(request)


@require_POST
@bank_page(*TESTERS)
def probe(request: Any) -> HttpResponse:
    """Walk to the coordinator now; the answer to this request alone shows the hops."""
    return _page(request, probe_connection(actor=request.actor, bank=request.bank))


def _page(request: Any, hops: list[Hop] | None = None) -> HttpResponse:
    context = {
        "joining": joining(request.bank),
        "hops": hops,
        "may_test": request.membership.role in TESTERS,
        "is_admin": request.membership.role == Role.BANK_ADMIN,
        "is_owner": request.membership.role == Role.MODEL_OWNER,
    }
    return render(request, "banks/onboarding.html", context)
