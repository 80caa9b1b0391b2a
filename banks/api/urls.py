"""Under /api/v1/banks/<slug>/: what a page can do, a program can do."""

from __future__ import annotations

from django.urls import path

from banks.api import (
    alerts,
    imports,
    membership,
    scoring,
    settings,
    training,
    transactions,
    versions,
)

urlpatterns = [
    path("score", scoring.score),
    path("alerts", alerts.queue),
    path("alerts/next", alerts.take_next),
    path("alerts/<uuid:alert_id>", alerts.detail),
    path("alerts/<uuid:alert_id>/history", alerts.history),
    path("alerts/<uuid:alert_id>/claim", alerts.claim),
    path("alerts/<uuid:alert_id>/release", alerts.release),
    path("alerts/<uuid:alert_id>/comment", alerts.comment),
    path("alerts/<uuid:alert_id>/decide", alerts.decide),
    path("alerts/<uuid:alert_id>/reopen", alerts.reopen),
    path("transactions", transactions.search),
    path("transactions/<int:transaction_id>", transactions.detail),
    path("transactions/<int:transaction_id>/label", transactions.label),
    path("imports", imports.listing),
    path("imports/upload", imports.upload),
    path("imports/<uuid:import_id>", imports.detail),
    path("imports/<uuid:import_id>/good-rows", imports.good_rows),
    path("imports/<uuid:import_id>/discard", imports.discard),
    path("training-runs", training.runs),
    path("training-runs/start", training.start),
    path("training-runs/<uuid:run_id>", training.run),
    path("training-runs/<uuid:run_id>/cancel", training.cancel),
    path("performance", versions.side_by_side),
    path("versions", versions.listing),
    path("versions/roll-back", versions.roll_back),
    path("versions/<uuid:version_id>/figures", versions.figures),
    path("versions/<uuid:version_id>/evidence", versions.evidence),
    path("versions/<uuid:version_id>/use", versions.use),
    path("versions/<uuid:version_id>/retire", versions.retire),
    path("versions/<uuid:version_id>/thresholds", versions.threshold_history),
    path("versions/<uuid:version_id>/threshold", versions.set_threshold),
    path("membership", membership.membership),
    path("membership/rosters/<uuid:task>/<int:version>/sign", membership.sign_roster),
    path("membership/keys/<uuid:task>/ceremony", membership.hold_ceremony),
    path("membership/keys/<uuid:epoch>/witness", membership.witness),
    path("membership/evidence/<uuid:task>", membership.verify),
    path("sent", membership.sent),
    path("settings", settings.read),
    path("settings/change", settings.change),
]
