"""Where an invited bank comes in, under /join/."""

from __future__ import annotations

from django.urls import path

from banks.views import joining

urlpatterns = [
    path("", joining.join, name="join"),
    path("<str:invitation>/", joining.join, name="join-invited"),
]
