"""A bank's pages, under /bank/<slug>/."""

from __future__ import annotations

from django.urls import path

from banks.views import membership, privacy

app_name = "banks"
urlpatterns = [
    path("privacy/", privacy.privacy, name="privacy"),
    path("privacy/verify/", privacy.verify, name="verify"),
    path("privacy/evidence/", privacy.bundle, name="evidence"),
    path("privacy/ledger/", privacy.export_ledger, name="export-ledger"),
    path("consortium/", membership.membership, name="membership"),
    path(
        "consortium/rosters/<uuid:task>/<int:version>/sign/",
        membership.sign_roster,
        name="sign-roster",
    ),
    path("consortium/keys/<uuid:task>/ceremony/", membership.hold_ceremony, name="hold-ceremony"),
    path("consortium/keys/<uuid:epoch>/witness/", membership.witness, name="witness"),
]
