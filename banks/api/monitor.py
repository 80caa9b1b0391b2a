"""The monitor by API."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks import wake
from banks.api.performance_serializers import ThresholdNoteSerializer
from banks.api.serializers import TrainingRunSerializer
from banks.models import RetrainingProposal
from banks.selectors import monitor as selectors
from banks.services import monitor as services
from banks.views.monitor import DECIDERS
from consortium.accounts.access import bank_api


class ShiftSerializer(serializers.Serializer[Any]):
    """A population stability index; ``noise`` is what chance alone reaches in 95 of 100 cases."""

    psi = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    noise = serializers.FloatField(allow_null=True)
    rows = serializers.IntegerField()
    days = serializers.IntegerField()
    band = serializers.ChoiceField(choices=["stable", "watch", "act", "unknown"])


class PartSerializer(serializers.Serializer[Any]):
    """A share in the reference and now; null where there is none."""

    name = serializers.CharField()
    usual = serializers.FloatField(allow_null=True)
    usual_of = serializers.IntegerField(source="before_of")
    now = serializers.FloatField(source="share", allow_null=True)
    now_of = serializers.IntegerField()


class WatchedFeatureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    shift = ShiftSerializer()
    missing = PartSerializer()


class RetrainingProposalSerializer(serializers.ModelSerializer[RetrainingProposal]):
    version = serializers.IntegerField(source="version.number")
    decided_by = serializers.StringRelatedField()  # type: ignore[var-annotated]

    class Meta:
        model = RetrainingProposal
        fields: ClassVar = [
            "pk",
            "version",
            "status",
            "reasons",
            "created_at",
            "decided_by",
            "decided_at",
            "note",
            "run",
        ]


class MonitorSerializer(serializers.Serializer[Any]):
    """What is watched; null where nothing has been counted, never 0."""

    version = serializers.IntegerField(source="version.number", allow_null=True, default=None)
    window_from = serializers.DateTimeField(
        source="reference.window_from", allow_null=True, default=None
    )
    window_until = serializers.DateTimeField(
        source="reference.window_until", allow_null=True, default=None
    )
    checked_at = serializers.DateTimeField(
        source="reference.checked_at", allow_null=True, default=None
    )
    problem = serializers.CharField(source="reference.problem", allow_blank=True, default="")
    last_day = serializers.DateField(allow_null=True)
    days_behind = serializers.IntegerField(allow_null=True)
    score = ShiftSerializer(source="judged.score", allow_null=True, default=None)
    alerts = PartSerializer(source="judged.alerts", allow_null=True, default=None)
    alerts_band = serializers.CharField(source="judged.alerts.ratio_band", default="unknown")
    volume_band = serializers.CharField(source="judged.volume_band", default="unknown")
    labels = PartSerializer(allow_null=True)
    blanks = PartSerializer(source="judged.blanks", many=True, default=[])
    features = WatchedFeatureSerializer(source="judged.features", many=True, default=[])
    proposals = RetrainingProposalSerializer(many=True)


@extend_schema(operation_id="monitor_read", responses=MonitorSerializer)
@bank_api()
def read(request: Any) -> Response:
    """Drift of features and score, alert share, volumes, missing values, arrival of labels."""
    return Response(MonitorSerializer(selectors.monitor_of(request.bank)).data)


@extend_schema(operation_id="monitor_check", request=None, responses={202: None})
@bank_api(*DECIDERS, methods=["POST"])
def check(request: Any) -> Response:
    """Ask the worker to look now."""
    wake.for_monitor(request.bank)
    return Response(status=202)


@extend_schema(
    operation_id="retraining_approve",
    request=ThresholdNoteSerializer,
    responses={201: TrainingRunSerializer},
)
@bank_api(*DECIDERS, methods=["POST"])
def approve(request: Any, proposal_id: uuid.UUID) -> Response:
    """Say yes to a proposed training: it is queued under one's name."""
    note = _note(request, proposal_id)
    run = services.approve(
        bank=request.bank, actor=request.actor, proposal_id=proposal_id, note=note
    )
    wake.for_training(request.bank, run.pk)
    return Response(TrainingRunSerializer(run).data, status=201)


@extend_schema(
    operation_id="retraining_decline",
    request=ThresholdNoteSerializer,
    responses=RetrainingProposalSerializer,
)
@bank_api(*DECIDERS, methods=["POST"])
def decline(request: Any, proposal_id: uuid.UUID) -> Response:
    """Say no to a proposed training, and why."""
    note = _note(request, proposal_id)
    services.decline(bank=request.bank, actor=request.actor, proposal_id=proposal_id, note=note)
    found = RetrainingProposal.objects.select_related("version", "decided_by").get(pk=proposal_id)
    return Response(RetrainingProposalSerializer(found).data)


def _note(request: Any, proposal_id: uuid.UUID) -> str:
    if not selectors.has_proposal(request.bank, proposal_id):
        raise Http404
    given = ThresholdNoteSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["note"])
