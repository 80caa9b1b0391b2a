"""Training runs, live: every round with what it waits for, from whom, and how it ended."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aggregation.forms import ExtendForm
from aggregation.models import Round, TrainingRun
from aggregation.selectors import estimates, progress, watching
from aggregation.services import extending
from aggregation.services import runs as services
from aggregation.views.saying import outcome
from consortium.accounts.access import centre_page
from consortium.accounts.models import Role

PAGE = 25


@centre_page()
def runs(request: Any) -> HttpResponse:
    before = _moment(request.GET.get("before", ""))
    found = progress.latest_runs(before=before, limit=PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    context = {
        "runs": shown,
        "older": shown[-1].started_at.isoformat() if more else "",
        "before": before,
    }
    return render(request, "aggregation/runs.html", context)


@centre_page()
def run(request: Any, run_id: uuid.UUID) -> HttpResponse:
    return _page(request, run_id, "aggregation/run.html")


@centre_page()
def run_live(request: Any, run_id: uuid.UUID) -> HttpResponse:
    """The polled part of the page; what the buttons beside it act on may have passed meanwhile."""
    response = _page(request, run_id, "aggregation/run_live.html")
    if "round" in request.GET and request.GET["round"] != _open_round(run_id):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@centre_page(Role.OPERATOR)
def stop(request: Any, run_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(TrainingRun, pk=run_id)
    with outcome(request, _("The run is stopped.")):
        services.stop_run(actor=request.actor, run=found)
    return redirect("aggregation:run", run_id)


@require_POST
@centre_page(Role.OPERATOR)
def give_up(request: Any, run_id: uuid.UUID, round_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Round, pk=round_id, run=run_id)
    with outcome(request, _("The round is given up; the run tries it again.")):
        services.abandon_round(
            actor=request.actor, round_=found, why=request.POST.get("reason", "")[:500]
        )
    return redirect("aggregation:run", run_id)


@require_POST
@centre_page(Role.OPERATOR)
def extend(request: Any, run_id: uuid.UUID, round_id: uuid.UUID) -> HttpResponse:
    found = get_object_or_404(Round, pk=round_id, run=run_id)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        return _page(request, run_id, "aggregation/run.html", extend_form=form)
    with outcome(request, _("The round waits longer.")):
        extending.extend_round(
            actor=request.actor,
            round_=found,
            minutes=form.cleaned_data["minutes"],
            why=form.cleaned_data["reason"],
        )
    return redirect("aggregation:run", run_id)


def _page(
    request: Any, run_id: uuid.UUID, template: str, extend_form: ExtendForm | None = None
) -> HttpResponse:
    found = progress.run_progress(run_id)
    if found is None:
        raise Http404
    watched = found.live or next(iter(found.rounds[-1:]), None)
    context = {
        "run": found,
        "extend_form": extend_form or ExtendForm(),
        "watched": watched,
        "participants": watching.participants(watched, found.members) if watched else [],
        "stages": watching.stages(watched.row) if watched else [],
        "remaining": watching.remaining(found),
        "time_left": watching.time_left(found.live),
        "seconds_by_round": watching.seconds_by_round(found),
        "compared": estimates.side_by_side(found),
        "curve": watching.curve_of_runs(found.row.task_id),
    }
    return render(request, template, context, status=422 if extend_form else 200)


def _open_round(run_id: uuid.UUID) -> str | None:
    """The id of the run's round that is not opened yet; "" between two, None when it is over."""
    if not TrainingRun.objects.filter(pk=run_id, state=TrainingRun.State.RUNNING).exists():
        return None
    live = Round.objects.filter(run=run_id, state__in=[Round.State.OPEN, Round.State.FROZEN])
    return str(live.values_list("pk", flat=True).first() or "")


def _moment(text: str) -> Any:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
