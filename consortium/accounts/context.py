"""What the frame around every page needs: the places of this person, the role, the version."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .models import Membership


def frame(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"demo": settings.DEMO, "version": settings.VERSION}
    return {
        "demo": settings.DEMO,
        "version": settings.VERSION,
        "places": Membership.objects.select_related("bank").filter(user=user),
        "bank": getattr(request, "bank", None),
        "membership": getattr(request, "membership", None),
    }
