"""Tasks: made, scheduled, started; their rosters proposed, their keys discarded."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aggregation.forms import RosterForm, RunForm, ScheduleForm, TaskForm
from aggregation.models import KeyEpoch, Task
from aggregation.selectors import agreements, estimates, progress
from aggregation.services import epochs, rosters, runs, schedules
from aggregation.services import tasks as services
from aggregation.views.saying import outcome, refuse
from consortium.accounts.access import centre_page
from consortium.accounts.models import Role
from consortium.naming import TRAINABLE
from consortium.protocol.errors import Refused
from consortium.protocol.roster import Roster


@centre_page()
def tasks(request: Any) -> HttpResponse:
    return render(request, "aggregation/tasks.html", {"agreements": agreements.agreements()})


@centre_page(Role.OPERATOR)
def new_task(request: Any) -> HttpResponse:
    form = TaskForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_task(actor=request.actor, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            return redirect("aggregation:task", made.pk)
    status = 422 if form.errors else 200
    context = {"form": form, "families": TRAINABLE}
    return render(request, "aggregation/new_task.html", context, status=status)


@centre_page()
def task(request: Any, task_id: uuid.UUID) -> HttpResponse:
    return _page(request, _task(task_id))


@require_POST
@centre_page(Role.OPERATOR)
def schedule(request: Any, task_id: uuid.UUID) -> HttpResponse:
    found = _task(task_id)
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return _page(request, found, schedule_form=form)
    with outcome(request, _("The schedule is set.")):
        schedules.set_schedule(actor=request.actor, task=found, **form.cleaned_data)
    return redirect("aggregation:task", found.pk)


@require_POST
@centre_page(Role.OPERATOR)
def run_now(request: Any, task_id: uuid.UUID) -> HttpResponse:
    found = _task(task_id)
    form = RunForm(request.POST)
    if form.is_valid():
        try:
            run = runs.start_run(actor=request.actor, task=found, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            return redirect("aggregation:run", run.pk)
    return _page(request, found, run_form=form)


@require_POST
@centre_page(Role.OPERATOR)
def propose(request: Any, task_id: uuid.UUID) -> HttpResponse:
    found = _task(task_id)
    form = RosterForm(request.POST)
    if form.is_valid():
        try:
            rosters.propose_roster(actor=request.actor, task=found, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            return redirect("aggregation:task", found.pk)
    return _page(request, found, roster_form=form)


@require_POST
@centre_page(Role.OPERATOR)
def withdraw(request: Any, task_id: uuid.UUID) -> HttpResponse:
    found = _task(task_id)
    with outcome(request, _("The proposal is withdrawn.")):
        rosters.withdraw_roster(actor=request.actor, task=found)
    return redirect("aggregation:task", found.pk)


@require_POST
@centre_page(Role.OPERATOR)
def discard_key(request: Any, task_id: uuid.UUID, epoch_id: uuid.UUID) -> HttpResponse:
    epoch = get_object_or_404(KeyEpoch, pk=epoch_id, task=task_id)
    with outcome(request, _("The key is discarded; the members can hold another ceremony.")):
        epochs.discard_epoch(actor=request.actor, epoch=epoch)
    return redirect("aggregation:task", task_id)


@require_POST
@centre_page(Role.OPERATOR)
def rotate_key(request: Any, task_id: uuid.UUID, epoch_id: uuid.UUID) -> HttpResponse:
    epoch = get_object_or_404(KeyEpoch, pk=epoch_id, task=task_id)
    with outcome(request, _("The key is retired; the members now hold the next ceremony.")):
        epochs.rotate_epoch(actor=request.actor, epoch=epoch)
    return redirect("aggregation:task", task_id)


def _page(request: Any, found: Task, **forms: Any) -> HttpResponse:
    agreement = agreements.agreement(found)
    inside = [bank.slug for bank in agreement.active.members] if agreement.active else []
    wanted = inside + [bank.slug for bank in agreement.joined_since]
    context = {
        "agreement": agreement,
        "task": found,
        "estimate": _estimate(agreement),
        "phases": estimates.phases_of(found),
        "runs": progress.latest_runs(task=found.pk, limit=10),
        "schedule_form": ScheduleForm(
            initial={"cron": found.cron, "zone": found.zone, "enabled": found.enabled}
        ),
        "run_form": RunForm(),
        "roster_form": RosterForm(initial={"banks": wanted}),
        **forms,
    }
    refused = any(form.errors for form in forms.values())
    return render(request, "aggregation/task.html", context, status=422 if refused else 200)


def _estimate(agreement: agreements.Agreement) -> Any:
    """What the next run takes, once there are members and a key to reckon with."""
    if not (agreement.active and agreement.key):
        return None
    return estimates.estimate(
        agreement.task,
        roster=Roster.from_wire(agreement.active.row.body),
        key_bits=agreement.key.row.key_bits,
    )


def _task(task_id: uuid.UUID) -> Task:
    return get_object_or_404(Task, pk=task_id)
