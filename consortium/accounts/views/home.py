"""Where everybody begins, and the two settings that need no sign-in."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from consortium.accounts import places
from consortium.accounts.context import THEMES
from consortium.accounts.models import Membership, User
from consortium.accounts.services import profiles

YEAR = 365 * 24 * 3600


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """A person with one place goes there; with several, they choose."""
    user = cast(User, request.user)
    own = list(Membership.objects.select_related("bank").filter(user=user).order_by("pk"))
    if len(own) == 1:
        return redirect(places.home_of(own[0]))
    return render(request, "accounts/home.html", {"own": own})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("language", "")
    response = redirect(_back(request))
    if chosen in profiles.LANGUAGES:
        response.set_cookie("django_language", chosen, max_age=YEAR, samesite="Lax")
        if isinstance(request.user, User):
            profiles.set_language(user=request.user, language=chosen)
    return response


@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    response = redirect(_back(request))
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", httponly=True)
    else:
        response.delete_cookie("theme")
    return response


def _back(request: HttpRequest) -> str:
    back = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return back if inside else "/"
