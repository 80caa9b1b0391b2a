"""Banks: guided in from the invitation to the first round, suspended, taken back, removed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from aggregation.forms import InviteForm
from aggregation.invitations import join_link
from aggregation.selectors import members
from aggregation.selectors.admission import admission, leaving
from aggregation.selectors.agreements import agreements
from aggregation.services import enrolment
from aggregation.services.comparing import compare_keys
from aggregation.views.saying import outcome, refuse
from consortium.accounts.access import centre_page, translated
from consortium.accounts.models import Bank, Role
from consortium.protocol.errors import Refused

ACTS = {
    "suspend": (enrolment.suspend_bank, _("Suspended: its next request is refused.")),
    "reinstate": (enrolment.reinstate_bank, _("Reinstated: its requests are answered again.")),
    "remove": (enrolment.remove_bank, _("Removed. Now propose a roster without it.")),
}


@centre_page()
def banks(request: Any) -> HttpResponse:
    return render(request, "aggregation/banks.html", {"members": members.members()})


@centre_page(Role.OPERATOR)
def invite(request: Any) -> HttpResponse:
    """The answer to the form alone shows the one-time link."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            bank, text = enrolment.invite_bank(actor=request.actor, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            return _page(request, bank.slug, invitation=text, status=201)
    status = 422 if form.errors else 200
    return render(request, "aggregation/invite.html", {"form": form}, status=status)


@centre_page()
def bank(request: Any, slug: str) -> HttpResponse:
    return _page(request, slug)


@require_POST
@centre_page(Role.OPERATOR)
def renew(request: Any, slug: str) -> HttpResponse:
    text = enrolment.renew_invitation(actor=request.actor, bank=_bank(slug))
    return _page(request, slug, invitation=text, status=201)


@require_POST
@centre_page(Role.OPERATOR)
def compare(request: Any, slug: str) -> HttpResponse:
    """What the operator heard is compared here, not by eye; a difference is said with its block."""
    found = _bank(slug)
    try:
        compare_keys(actor=request.actor, bank=found, said=request.POST.get("said", "")[:200])
    except Refused as refused:
        return _page(request, slug, differs=translated(refused), status=422)
    messages.success(request, _("The number is right. Another operator can propose the bank now."))
    return redirect("aggregation:bank", slug)


@require_POST
@centre_page(Role.OPERATOR)
def act(request: Any, slug: str, act: str) -> HttpResponse:
    if act not in ACTS:
        raise Http404
    service, said = ACTS[act]
    with outcome(request, said):
        service(actor=request.actor, bank=_bank(slug), reason=request.POST.get("reason", "")[:500])
    return redirect("aggregation:bank", slug)


def _page(
    request: Any, slug: str, *, invitation: str = "", differs: str = "", status: int = 200
) -> HttpResponse:
    found = members.members(slug=slug)
    if not found:
        raise Http404
    agreed = agreements()
    context = {
        "member": found[0],
        "admission": admission(found[0], request.user, agreed),
        "leaving": leaving(found[0].bank, agreed),
        "differs": differs,
        "invitation": invitation,
        "link": join_link(request, invitation) if invitation else "",
        "here": apps.is_installed("banks"),
    }
    return render(request, "aggregation/bank.html", context, status=status)


def _bank(slug: str) -> Bank:
    found = Bank.objects.filter(slug=slug).first()
    if found is None:
        raise Http404
    return found
