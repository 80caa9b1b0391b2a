"""Making a task, and how far things are: what the pages show beside ``operators``' calls."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from aggregation.api import standing_serializers as wire
from aggregation.models import Task
from aggregation.selectors import agreements, log, performance, progress
from aggregation.services.tasks import check_definition, create_task
from consortium.accounts.access import centre_api
from consortium.accounts.models import Role


@extend_schema(
    operation_id="centre_task_make",
    request=wire.NewTaskSerializer,
    responses={201: wire.DefinedTaskSerializer},
)
@centre_api(Role.OPERATOR, methods=["POST"])
def make_task(request: Any) -> Response:
    """Write down an agreement; its definition comes from a bank's model owner."""
    given = wire.NewTaskSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    about = dict(given.validated_data)
    definition = check_definition(about.pop("definition"))
    task = create_task(actor=request.actor, definition=definition, **about)
    return Response(wire.DefinedTaskSerializer(task).data, status=201)


@extend_schema(operation_id="centre_task", responses=wire.AgreementSerializer)
@centre_api()
def agreement(request: Any, task_id: uuid.UUID) -> Response:
    """A task; who has signed its roster, who must still witness its key."""
    found = agreements.agreement(get_object_or_404(Task, pk=task_id))
    return Response(wire.AgreementSerializer(found).data)


@extend_schema(operation_id="centre_run_standing", responses=wire.RunStandingSerializer)
@centre_api()
def run(request: Any, run_id: uuid.UUID) -> Response:
    """A run's rounds, what is awaited and from whom, and the banks' votes."""
    found = progress.run_progress(run_id)
    if found is None:
        raise Http404
    return Response(wire.RunStandingSerializer(found).data)


@extend_schema(operation_id="centre_performance", responses=wire.MeasuredSerializer(many=True))
@centre_api()
def curves(request: Any) -> Response:
    """What the published sums say, newest first. No call gives one bank's numbers."""
    return Response(wire.MeasuredSerializer(performance.measured(), many=True).data)


@extend_schema(
    operation_id="centre_log",
    parameters=[OpenApiParameter("before", int, description="entries below this index")],
    responses=wire.LogPageSerializer,
)
@centre_api()
def log_page(request: Any) -> Response:
    """The log, newest first."""
    text = request.query_params.get("before", "")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
    found = log.entries(before=before)
    following = found[-1].index if len(found) == log.PAGE else None
    return Response(wire.LogPageSerializer({"entries": found, "before": following}).data)


@extend_schema(operation_id="centre_log_verify", responses=wire.LogReportSerializer)
@centre_api()
def log_report(request: Any) -> Response:
    """Compute the whole log again and check its signed heads."""
    return Response(wire.LogReportSerializer(log.verify_log()).data)
