"""Training runs: start one alone, watch it, see what came of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from banks import wake
from banks.models import BankSettings, ModelVersion, TrainingRun
from banks.selectors import estimates
from banks.services import training
from banks.views import coming_runs
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.naming import step_name
from consortium.protocol.errors import Refused

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)
SHOWN = 30
STEPS = {
    "": gettext_lazy("Waiting for the worker"),
    "features": gettext_lazy("Building features"),
    "learning": gettext_lazy("Learning"),
    "judging": gettext_lazy("Judging on later transactions"),
}
WORK = {
    "learn": gettext_lazy("learn"),
    "encrypt": gettext_lazy("encrypt"),
    "add": gettext_lazy("add up"),
    "open": gettext_lazy("open"),
    "derive": gettext_lazy("derive"),
}


@bank_page(*READERS)
def listing(request: Any) -> HttpResponse:
    return _listing(request)


@bank_page(Role.MODEL_OWNER)
@require_POST
def start(request: Any) -> HttpResponse:
    try:
        run = training.request_training(
            bank=request.bank, actor=request.actor, family=request.POST.get("family", "")
        )
    except Refused as refused:
        return _listing(request, refused=translated(refused), status=422)
    wake.for_training(request.bank, run.pk)
    return redirect("banks:training-run", request.bank.slug, run.pk)


@bank_page(*READERS)
def detail(request: Any, run_id: uuid.UUID) -> HttpResponse:
    run = _run_or_404(request, run_id)
    return render(
        request,
        "banks/training_run.html",
        {
            "run": run,
            "progress": _progress(run),
            "failure": _failure(run),
            "model": run.versions.defer("artifact").order_by("number").first(),
            "losses": _loss_chart(run),
            "timings": [
                (said, run.timings[name]) for name, said in STEPS.items() if name in run.timings
            ],
            "parts": _parts(run) if run.consortium_run else [],
            "compared": estimates.side_by_side(run) if run.consortium_run else [],
            "may_cancel": run.is_open
            and run.phase == TrainingRun.Phase.ALONE
            and request.membership.role == Role.MODEL_OWNER,
        },
    )


@bank_page(*READERS)
def progress(request: Any, run_id: uuid.UUID) -> HttpResponse:
    """The fragment a running page asks for; when the run has ended the page is loaded anew."""
    run = _run_or_404(request, run_id)
    response = render(
        request, "banks/training_progress.html", {"run": run, "progress": _progress(run)}
    )
    if not run.is_open:
        response["HX-Refresh"] = "true"
    return response


@bank_page(Role.MODEL_OWNER)
@require_POST
def cancel(request: Any, run_id: uuid.UUID) -> HttpResponse:
    _run_or_404(request, run_id)
    try:
        training.cancel_training(bank=request.bank, actor=request.actor, run_id=run_id)
        messages.success(request, _("Cancelled. Nothing of this run is used."))
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:training-run", request.bank.slug, run_id)


def _listing(request: Any, *, refused: str = "", status: int = 200) -> HttpResponse:
    return render(
        request,
        "banks/training.html",
        {
            "runs": TrainingRun.objects.filter(bank=request.bank)
            .select_related("started_by")
            .prefetch_related(
                Prefetch("versions", queryset=ModelVersion.objects.defer("artifact"))
            )[:SHOWN],
            "settings": BankSettings.objects.filter(bank=request.bank).first(),
            "waiting_labels": training.waiting_labels(request.bank),
            "refused": refused,
            "families": training.FAMILIES,
            "usual_family": training.usual_family(request.bank),
            "may_start": request.membership.role == Role.MODEL_OWNER,
            "may_look_ahead": request.membership.role in coming_runs.READERS,
        },
        status=status,
    )


def _parts(run: TrainingRun) -> list[dict[str, Any]]:
    """The bank's rounds, each with what its work took."""
    parts = run.parts.defer("upload", "aggregate", "derived").order_by("created_at")
    return [
        {
            "part": part,
            "step": step_name(part.purpose),
            "seconds": [
                (label, part.seconds[name]) for name, label in WORK.items() if name in part.seconds
            ],
        }
        for part in parts
    ]


def _progress(run: TrainingRun) -> dict[str, Any]:
    return {
        "step": STEPS.get(run.step) or _together(run.step),
        "number": run.step_number,
        "total": run.steps_total,
        "share": run.progress if run.status == TrainingRun.Status.RUNNING else None,
    }


def _together(step: str) -> str:
    return _("Adding up, encrypted: %(what)s") % {"what": step_name(step)}


def _failure(run: TrainingRun) -> str:
    return translated(Refused(run.failure_code, run.failure, **run.failure_params))


def _loss_chart(run: TrainingRun) -> dict[str, Any] | None:
    losses = run.result.get("losses") or []
    if len(losses) < 2:
        return None
    return {
        "kind": "line",
        "x": {"name": _("pass over the data"), "format": "count", "min": 1},
        "y": {"name": _("log loss")},
        "series": [
            {
                "name": name,
                "points": [[n, round(one[key], 5)] for n, one in enumerate(losses, 1) if one[key]],
            }
            for name, key in ((_("training"), "loss"), (_("validation"), "validation_loss"))
        ],
    }


def _run_or_404(request: Any, run_id: uuid.UUID) -> TrainingRun:
    run = (
        TrainingRun.objects.select_related("started_by")
        .filter(bank=request.bank, pk=run_id)
        .first()
    )
    if run is None:
        raise Http404
    return run
