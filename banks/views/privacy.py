"""What left this bank, who could open it, and the proof that it was counted."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.coordinator import Unreachable
from banks.models import TrustedRoster
from banks.selectors import privacy as selectors
from banks.services.evidence_pack import export_pack
from banks.services.rounds import ledger, votes
from banks.services.rounds.node import Node
from consortium.accounts import audit
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.exports import csv_response
from consortium.parsing import whole_number
from consortium.protocol.errors import Refused
from consortium.protocol.roster import Roster

READERS = (Role.BANK_ADMIN, Role.MODEL_OWNER, Role.AUDITOR)


@bank_page(*READERS)
def privacy(request: Any) -> HttpResponse:
    page = selectors.ledger(request.bank, before=whole_number(request.GET, "before"))
    return render(
        request,
        "banks/privacy.html",
        {
            "ledger": page,
            "purposes": selectors.sent_by_purpose(request.bank),
            "parts": selectors.parts(request.bank),
            "destroyed": selectors.destroyed(request.bank),
            "numbers": _numbers(),
            "protocols": selectors.protocols(request.bank),
            "one_machine": settings.DEMO,
        },
    )


@bank_page(*READERS)
def verify(request: Any) -> HttpResponse:
    """Fetch the evidence from the coordinator and check every line of it, here and now."""
    reports, trouble = [], ""
    node = Node(request.bank)
    try:
        reports = [(task, ledger.verify(node, task)) for task in _tasks()]
    except Unreachable:
        trouble = _("The coordinator does not answer. Try again in a minute.")
    except Refused as refused:
        trouble = str(refused)
    context = {
        "reports": reports,
        "trouble": trouble,
        "numbers": _numbers(),
        "protocols": selectors.protocols(request.bank),
    }
    return render(request, "banks/verify.html", context)


@bank_page(*READERS)
def bundle(request: Any) -> HttpResponse:
    """The evidence as a file, for `verify_participation` on any machine."""
    tasks = _tasks()
    if not tasks:
        messages.error(request, _("There is no evidence before the first round."))
        return redirect("banks:privacy", request.bank.slug)
    content = ledger.export_bundle(Node(request.bank), tasks[0])
    response = HttpResponse(content, content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="evidence-{request.bank.slug}.jsonl"'
    return response


@bank_page(*READERS)
def pack(request: Any) -> HttpResponse:
    """All of it for an auditor, signed by this bank's node; who took it stands in the trail."""
    content = export_pack(actor=request.actor, node=Node(request.bank))
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{request.bank.slug}.zip"'
    return response


@bank_page(*READERS)
def agreed(request: Any) -> HttpResponse:
    """Who signed which members and which model."""
    node, trouble, models = Node(request.bank), "", []
    try:
        models = [voted for voted, _signed in votes.on_models(node)]
    except Unreachable:
        trouble = _("The coordinator does not answer. Try again in a minute.")
    except Refused as refused:
        trouble = translated(refused)
    context = {"rosters": votes.on_members(node), "models": models, "trouble": trouble}
    return render(request, "banks/votes.html", context)


@require_POST
@bank_page(Role.BANK_ADMIN, Role.MODEL_OWNER)
def export_ledger(request: Any) -> HttpResponse:
    rows = selectors.all_sent(request.bank)
    audit.record(actor=request.actor, verb="ledger.exported", bank=request.bank)
    return csv_response(
        file_name=f"sent-{request.bank.slug}.csv",
        header=["at", "purpose", "path", "bytes", "sha256", "status"],
        rows=([r.at.isoformat(), r.purpose, r.path, r.size, r.sha256, r.status] for r in rows),
    )


def _tasks() -> list[str]:
    return [str(task) for task in TrustedRoster.objects.values_list("task", flat=True).distinct()]


def _numbers() -> Any:
    newest = TrustedRoster.objects.order_by("-trusted_at").first()
    return Roster.from_wire(newest.signed["roster"]).numbers if newest else None
