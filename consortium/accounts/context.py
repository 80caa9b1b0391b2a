"""What the frame around every page needs: the places of this person, the role, the version."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .access import memberships_of
from .inbox import unread

THEMES = {"light", "dark"}


def frame(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme")
    about = {
        "demo": settings.DEMO,
        "product_version": settings.VERSION,
        "theme": theme if theme in THEMES else "",
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return about
    places = memberships_of(request)
    membership = getattr(request, "membership", None)
    if membership is None and len(places) == 1:
        membership = places[0]
    return {
        **about,
        "unread": partial(unread, user, places),
        "places": places,
        "membership": membership,
        "bank": membership.bank if membership else None,
    }
