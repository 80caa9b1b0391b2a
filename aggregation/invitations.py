"""Where an invited bank goes with its one-time text."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.urls import reverse


def join_link(request: Any, invitation: str) -> str:
    """The page of the bank's node: a whole address only where the bank lives on this machine."""
    if apps.is_installed("banks"):
        return str(request.build_absolute_uri(reverse("join-invited", args=[invitation])))
    return f"/join/{invitation}/"
