"""Where an invited bank comes in, under /join/."""

from __future__ import annotations

from django.urls import path

from banks.views import membership

urlpatterns = [
    path("", membership.join, name="join"),
    path("<str:invitation>/", membership.join, name="join-invited"),
]
