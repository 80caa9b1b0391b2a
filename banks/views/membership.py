"""A bank's place in the consortium: fingerprints, rosters to sign, keys to deal and witness."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks import tasks
from banks.coordinator import Unreachable
from banks.selectors import gifts
from banks.selectors import membership as selectors
from banks.services.gifts import asking
from banks.services.rounds import agreement, ceremony
from banks.services.rounds.node import Node
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused


@bank_page(Role.BANK_ADMIN, Role.MODEL_OWNER, Role.AUDITOR)
def membership(request: Any) -> HttpResponse:
    line = selectors.line(request.bank)
    duties = line.for_people if line else []
    context: dict[str, Any] = {
        "line": line,
        "last_trouble": selectors.trouble(line) if line else "",
        "fingerprints": selectors.own_fingerprints(request.bank),
        "agreements": selectors.agreements(request.bank),
        "ceremonies": [duty for duty in duties if duty["duty"] == "ceremony"],
        "witnesses": [duty for duty in duties if duty["duty"] == "witness"],
        "may_act": request.membership.role == Role.BANK_ADMIN,
        "proposals": [],
        "gifts": gifts.listing(request.bank),
    }
    node = Node(request.bank)
    try:
        context["proposals"] = [
            selectors.proposal(node, duty) for duty in duties if duty["duty"] == "sign_roster"
        ]
    except (Unreachable, Refused) as trouble:
        context["trouble"] = translated(trouble) if isinstance(trouble, Refused) else str(trouble)
    return render(request, "banks/membership.html", context)


@require_POST
@bank_page(Role.BANK_ADMIN)
def sign_roster(request: Any, task: str, version: int) -> HttpResponse:
    if request.POST.get("compared") != "yes":
        messages.error(request, _("Compare the fingerprints first, then tick the box."))
        return redirect("banks:membership", request.bank.slug)
    agreement.sign_proposed_roster(
        Node(request.bank), task=str(task), version=version, actor=request.actor
    )
    messages.success(request, _("Signed. The roster is valid once a majority has signed."))
    return redirect("banks:membership", request.bank.slug)


@require_POST
@bank_page(Role.BANK_ADMIN)
def hold_ceremony(request: Any, task: str) -> HttpResponse:
    arguments = (str(request.bank.pk), str(task), request.user.pk)
    queue = f"{request.bank.slug}.train"
    transaction.on_commit(partial(tasks.hold_ceremony.apply_async, arguments, queue=queue))
    messages.success(
        request, _("The ceremony has begun on this bank's worker. It takes up to some minutes.")
    )
    return redirect("banks:membership", request.bank.slug)


@require_POST
@bank_page(Role.BANK_ADMIN)
def witness(request: Any, epoch: str) -> HttpResponse:
    ceremony.witness(Node(request.bank), epoch_id=str(epoch), actor=request.actor)
    messages.success(request, _("Witnessed: this bank's share fits the published key."))
    return redirect("banks:membership", request.bank.slug)


@require_POST
@bank_page(Role.BANK_ADMIN)
def ask_again(request: Any, gift_id: int) -> HttpResponse:
    gift = gifts.get(request.bank, gift_id)
    if gift is None:
        raise Http404
    asking.ask_again(node=Node(request.bank), actor=request.actor, gift=gift)
    messages.success(request, _("Asked again. The answer takes some minutes."))
    return redirect("banks:membership", request.bank.slug)
