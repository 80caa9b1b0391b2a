"""Training runs by API."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks import wake
from banks.api import serializers as wire
from banks.models import TrainingRun
from banks.services import training
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)
SHOWN = 100


@extend_schema(operation_id="training_runs_list", responses=wire.TrainingRunSerializer(many=True))
@bank_api(*READERS)
def runs(request: Any) -> Response:
    """The latest runs, newest first."""
    latest = TrainingRun.objects.filter(bank=request.bank)[:SHOWN]
    return Response(wire.TrainingRunSerializer(latest, many=True).data)


@extend_schema(
    operation_id="training_run_start",
    request=wire.TrainingRequestSerializer,
    responses={201: wire.TrainingRunSerializer},
)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def start(request: Any) -> Response:
    """Train alone now; the windows follow from the data unless given."""
    given = wire.TrainingRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    run = training.request_training(bank=request.bank, actor=request.actor, **given.validated_data)
    wake.for_training(request.bank, run.pk)
    return Response(wire.TrainingRunSerializer(run).data, status=201)


@extend_schema(operation_id="training_run_detail", responses=wire.TrainingRunSerializer)
@bank_api(*READERS)
def run(request: Any, run_id: uuid.UUID) -> Response:
    return Response(wire.TrainingRunSerializer(run_or_404(request, run_id)).data)


@extend_schema(
    operation_id="training_run_cancel", request=None, responses=wire.TrainingRunSerializer
)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def cancel(request: Any, run_id: uuid.UUID) -> Response:
    run_or_404(request, run_id)
    training.cancel_training(bank=request.bank, actor=request.actor, run_id=run_id)
    return Response(wire.TrainingRunSerializer(run_or_404(request, run_id)).data)


def run_or_404(request: Any, run_id: uuid.UUID) -> TrainingRun:
    found = TrainingRun.objects.filter(bank=request.bank, pk=run_id).first()
    if found is None:
        raise Http404
    return found
