"""The user's guide, in the reader's language; open to everybody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language


def guide(request: HttpRequest) -> HttpResponse:
    language = "ja" if (get_language() or "").startswith("ja") else "en"
    return render(request, f"guide/{language}.html")
