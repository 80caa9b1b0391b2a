"""The other end of a one-time link: someone comes in."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from consortium.accounts import places
from consortium.accounts.forms import AcceptanceForm
from consortium.accounts.models import User
from consortium.accounts.services import invitations


@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    invitation = invitations.find(token=token)
    about = {"invitation": invitation, "token": token}
    if invitations.has_account(invitation=invitation):
        return render(request, "accounts/invitation_join.html", about)
    form = AcceptanceForm(
        request.POST or None,
        email=invitation.email,
        initial={"name": invitation.name, "language": request.LANGUAGE_CODE},
    )
    if request.method != "POST" or not form.is_valid():
        return render(
            request,
            "accounts/invitation.html",
            {**about, "form": form},
            status=422 if form.errors else 200,
        )
    user = invitations.accept(
        token=token,
        name=form.cleaned_data["name"],
        password=form.cleaned_data["password"],
        language=form.cleaned_data["language"],
    )
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")


@login_required
@require_POST
def join(request: HttpRequest, token: str) -> HttpResponse:
    membership = invitations.join(token=token, user=cast(User, request.user))
    return redirect(places.home_of(membership))
