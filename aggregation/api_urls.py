"""The centre's part of the API, under ``/api/v1/``."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("coordinator/", include("aggregation.api.urls"))]
