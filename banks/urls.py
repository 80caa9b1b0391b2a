"""A bank's pages, under /bank/<slug>/."""

from __future__ import annotations

from django.urls import path

from banks.views import (
    access_log,
    alert_queue,
    alerts,
    cases,
    coming_runs,
    drilldown,
    freezes,
    imports,
    label_files,
    membership,
    monitor,
    monthly,
    node,
    onboarding,
    performance,
    privacy,
    search,
    settings,
    signal,
    thresholds,
    together,
    training,
    transactions,
    versions,
    work,
)

app_name = "banks"
urlpatterns = [
    path("", work.work, name="work"),
    path("alerts/", alert_queue.queue, name="alerts"),
    path("alerts/start/", alert_queue.start, name="start-reviewing"),
    path("alerts/bulk/", alert_queue.bulk, name="alerts-bulk"),
    path("alerts/bulk/<uuid:bulk_id>/undo/", alert_queue.undo_bulk, name="alerts-bulk-undo"),
    path("alerts/views/save/", alert_queue.save_view, name="save-alert-view"),
    path("alerts/views/<uuid:view_id>/", alert_queue.view, name="alert-view"),
    path("alerts/views/<uuid:view_id>/delete/", alert_queue.delete_view, name="delete-alert-view"),
    path("alerts/<uuid:alert_id>/", alerts.detail, name="alert"),
    path("alerts/<uuid:alert_id>/decide/", alerts.decide, name="decide"),
    *(
        path(f"alerts/<uuid:alert_id>/{act}/", alerts.act, {"act": act}, name=f"alert-{act}")
        for act in ("claim", "release", "snooze", "comment", "undo", "reopen")
    ),
    path("cases/", cases.listing, name="cases"),
    path("cases.csv", cases.export, name="export-cases"),
    path("cases/open/", cases.opening, name="open-case"),
    path("cases/<uuid:case_id>/", cases.detail, name="case"),
    path("cases/<uuid:case_id>/file.pdf", cases.case_file, name="case-file"),
    path("cases/<uuid:case_id>/freeze/", freezes.new, name="new-freeze"),
    *(
        path(f"cases/<uuid:case_id>/{act}/", view, {"act": act}, name=f"case-{act}")
        for view, acts in (
            (cases.work, cases.WORK),
            (cases.decide, cases.DECISIONS),
        )
        for act in acts
    ),
    path("freezes/<uuid:freeze_id>/", freezes.detail, name="freeze"),
    *(
        path(f"freezes/<uuid:freeze_id>/{act}/", view, {"act": act}, name=f"freeze-{act}")
        for view, acts in (
            (freezes.work, freezes.WORK),
            (freezes.decide, freezes.DECISIONS),
        )
        for act in acts
    ),
    path("search/", search.search, name="search"),
    path("transactions/", transactions.search, name="transactions"),
    path("transactions/<int:transaction_id>/", transactions.detail, name="transaction"),
    path("performance/", performance.show, name="performance"),
    path("performance/<int:number>/rows/", drilldown.rows, name="rows"),
    path("performance/<int:number>/rows.csv", drilldown.export, name="export-rows"),
    path("performance/<int:number>/propose/", thresholds.propose, name="propose-threshold"),
    path("performance/<int:number>/roll-back/", thresholds.roll_back, name="roll-back-threshold"),
    path("performance/together/", together.show, name="together"),
    path("performance/<int:number>/caught/", together.rows, name="caught"),
    path("performance/<int:number>/caught.csv", together.export, name="export-caught"),
    path("performance/month/", monthly.show, name="month"),
    path("performance/month.csv", monthly.export, name="export-month"),
    path("performance/changes/", thresholds.listing, name="threshold-changes"),
    *(
        path(
            f"performance/changes/<uuid:change_id>/{act}/",
            thresholds.act,
            {"act": act},
            name=f"threshold-{act}",
        )
        for act in ("approve", "return", "withdraw")
    ),
    path("monitor/", monitor.show, name="monitor"),
    path("monitor/check/", monitor.check, name="monitor-check"),
    path(
        "monitor/proposals/<uuid:proposal_id>/approve/", monitor.approve, name="approve-retraining"
    ),
    path(
        "monitor/proposals/<uuid:proposal_id>/decline/", monitor.decline, name="decline-retraining"
    ),
    path("data/", imports.listing, name="imports"),
    path("data/upload/", imports.upload, name="upload"),
    path("data/<uuid:import_id>/", imports.detail, name="import"),
    path("data/<uuid:import_id>/confirm/", imports.confirm, name="import-confirm"),
    path("data/<uuid:import_id>/progress/", imports.progress, name="import-progress"),
    path("data/<uuid:import_id>/errors/", imports.errors, name="import-errors"),
    *(
        path(f"data/<uuid:import_id>/{act}/", imports.act, {"act": act}, name=f"import-{act}")
        for act in ("good-rows", "discard")
    ),
    path("labels/", label_files.listing, name="labels"),
    path("labels/upload/", label_files.upload, name="upload-labels"),
    path("labels/<uuid:file_id>/", label_files.detail, name="label-file"),
    path("labels/<uuid:file_id>/errors/", label_files.errors, name="label-file-errors"),
    path("labels/<uuid:file_id>/good-rows/", label_files.good_rows, name="label-file-good-rows"),
    path("training/", training.listing, name="training"),
    path("training/start/", training.start, name="start-training"),
    path("training/coming/", coming_runs.coming, name="coming-runs"),
    path("training/coming/<uuid:task>/measure/", coming_runs.measure, name="measure-run"),
    path("training/<uuid:run_id>/", training.detail, name="training-run"),
    path("training/<uuid:run_id>/progress/", training.progress, name="training-progress"),
    path("training/<uuid:run_id>/cancel/", training.cancel, name="cancel-training"),
    path("models/", versions.listing, name="models"),
    path("models/roll-back/", versions.roll_back, name="roll-back"),
    path("models/<int:number>/", versions.detail, name="model"),
    path("models/<int:number>/card/", versions.card, name="model-card"),
    path("models/<int:number>/card.json", versions.card_file, name="model-card-file"),
    path("models/<int:number>/model.onnx", versions.onnx, name="model-onnx"),
    *(
        path(f"models/<int:number>/{act}/", versions.act, {"act": act}, name=f"model-{act}")
        for act in ("use", "retire", "shadow", "unshadow")
    ),
    path("settings/", settings.settings, name="settings"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("privacy/verify/", privacy.verify, name="verify"),
    path("privacy/evidence/", privacy.bundle, name="evidence"),
    path("privacy/pack.zip", privacy.pack, name="evidence-pack"),
    path("privacy/votes/", privacy.agreed, name="votes"),
    path("privacy/access/", access_log.listing, name="access-log"),
    path("privacy/access.csv", access_log.export, name="export-access"),
    path("privacy/ledger/", privacy.export_ledger, name="export-ledger"),
    path("signal/", signal.signal, name="signal"),
    path("signal/measure/", signal.measure, name="signal-measure"),
    path("signal/<uuid:task>/terms/", signal.decide, name="signal-terms"),
    path("node/", node.node, name="node"),
    path("joining/", onboarding.onboarding, name="onboarding"),
    path("joining/test/", onboarding.probe, name="test-connection"),
    path("consortium/", membership.membership, name="membership"),
    path(
        "consortium/rosters/<uuid:task>/<int:version>/sign/",
        membership.sign_roster,
        name="sign-roster",
    ),
    path("consortium/keys/<uuid:task>/ceremony/", membership.hold_ceremony, name="hold-ceremony"),
    path("consortium/keys/<uuid:epoch>/witness/", membership.witness, name="witness"),
    path("consortium/gifts/<int:gift_id>/ask-again/", membership.ask_again, name="ask-again"),
]
