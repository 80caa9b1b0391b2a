"""A person's own page: name, language, zone, API tokens."""

from __future__ import annotations

import uuid
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consortium.accounts import selectors, tokens
from consortium.accounts.actors import Actor
from consortium.accounts.forms import ProfileForm, TokenForm
from consortium.accounts.models import Membership, User
from consortium.accounts.services import profiles


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        profiles.update_profile(user=user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("profile")
    return _page(request, form=form, status=422 if form.errors else 200)


@login_required
@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """The answer to this POST is the only page that ever shows the secret."""
    user = cast(User, request.user)
    form = TokenForm(request.POST, user=user)
    if not form.is_valid():
        return _page(request, token_form=form, status=422)
    place: Membership = form.cleaned_data["place"]
    token, secret = tokens.create_token(
        actor=Actor(label=str(user), user=user, bank=place.bank, role=place.role),
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        days=form.cleaned_data["days"],
    )
    return _page(request, made=token, secret=secret, status=201)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    user = cast(User, request.user)
    if tokens.revoke_token(user=user, token_id=token_id):
        messages.success(
            request, _("The token is revoked; whatever used it is refused from now on.")
        )
    return redirect("profile")


def _page(request: HttpRequest, *, status: int, **extra: object) -> HttpResponse:
    user = cast(User, request.user)
    context = {
        "form": ProfileForm(instance=user),
        "token_form": TokenForm(user=user),
        "tokens": selectors.tokens_of(user),
        **extra,
    }
    return render(request, "accounts/profile.html", context, status=status)
