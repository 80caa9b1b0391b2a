"""Who works in a place, and with what role: one set of views for a bank and for the centre."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consortium.accounts import places, selectors
from consortium.accounts.access import View, bank_page, centre_page, translated
from consortium.accounts.forms import InvitationForm, role_choices
from consortium.accounts.models import Role
from consortium.accounts.services import invitations, people
from consortium.protocol.errors import Refused


def listing(request: Any) -> HttpResponse:
    """The list, and the form that invites; its answer alone shows the one-time link."""
    form = InvitationForm(request.POST or None, bank=request.bank)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form=form, status=422 if form.errors else 200)
    try:
        invitation, token = invitations.invite(actor=request.actor, **form.cleaned_data)
    except Refused as refused:
        form.add_error(refused.field, translated(refused))
        return _page(request, form=form, status=422)
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    fresh = InvitationForm(bank=request.bank)
    return _page(request, form=fresh, invited=invitation, link=link, status=201)


@require_POST
def act(request: Any, membership_id: int, act: str) -> HttpResponse:
    if act == "role":
        people.change_role(
            actor=request.actor, membership_id=membership_id, role=request.POST.get("role", "")
        )
        said = _("The role is changed.")
    elif act == "second-factor":
        people.reset_second_factor(actor=request.actor, membership_id=membership_id)
        said = _("The second factor is reset; they sign in with the password and set up a new one.")
    elif act == "deactivate":
        people.deactivate(actor=request.actor, membership_id=membership_id)
        said = _("Deactivated: no role, no tokens here any more.")
    else:
        raise Http404
    messages.success(request, said)
    return redirect(places.place_url(request.membership, "people"))


@require_POST
def withdraw(request: Any, invitation_id: uuid.UUID) -> HttpResponse:
    invitations.withdraw(actor=request.actor, invitation_id=invitation_id)
    messages.success(request, _("The invitation is withdrawn; its link no longer opens."))
    return redirect(places.place_url(request.membership, "people"))


def _page(request: Any, *, status: int, **extra: object) -> HttpResponse:
    context = {
        "people": selectors.people_of(request.bank),
        "invitations": selectors.open_invitations(request.bank),
        "roles": role_choices(request.bank),
        "may_change": request.membership.role != Role.AUDITOR,
        **extra,
    }
    return render(request, "accounts/people.html", context, status=status)


_views: tuple[View, ...] = (listing, act, withdraw)
_in_bank = bank_page(Role.BANK_ADMIN, Role.AUDITOR)
_in_centre = centre_page(Role.OPERATOR, Role.AUDITOR)
bank_people, bank_act, bank_withdraw = map(_in_bank, _views)
centre_people, centre_act, centre_withdraw = map(_in_centre, _views)
