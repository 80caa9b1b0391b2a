"""All addresses of this process; a world's pages exist only where its app is installed."""

from __future__ import annotations

from django.apps import apps
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from consortium import ops
from consortium.measured import views as measured

urlpatterns = [
    path("", include("consortium.accounts.urls")),
    path("guide/measured/", measured.measured, name="measured"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", ops.healthz, name="healthz"),
    path("readyz", ops.readyz, name="readyz"),
    path("metrics", ops.metrics, name="metrics"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include("consortium.accounts.api_urls")),
]
if apps.is_installed("banks"):
    urlpatterns += [
        path("join/", include("banks.join_urls")),
        path("bank/<slug:bank>/", include("banks.urls")),
        path("api/v1/banks/<slug:bank>/", include("banks.api.urls")),
    ]
if apps.is_installed("aggregation"):
    urlpatterns += [
        path("centre/", include("aggregation.urls")),
        path("api/v1/", include("aggregation.api_urls")),
    ]
handler500 = "consortium.ops.server_error"
