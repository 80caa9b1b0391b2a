"""The operator's console by API."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from aggregation.api.serializers import RoundSerializer
from aggregation.api.standing_serializers import AwaitedSerializer, BankNameSerializer
from aggregation.models import Round
from aggregation.selectors import operations as selectors
from aggregation.services.extending import extend_round
from consortium.accounts.access import centre_api
from consortium.accounts.models import Role
from consortium.serializers import ProgramSerializer, PulseSerializer, WorkQueueSerializer


class AlarmSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    sentence = serializers.CharField()


class BankNodeSerializer(serializers.Serializer[Any]):
    """All that the centre knows of a bank's node."""

    bank = BankNameSerializer(source="member.bank")
    seen_at = serializers.DateTimeField(source="member.seen_at", allow_null=True)
    version = serializers.CharField(source="member.version")
    silent = serializers.BooleanField()


class GoingSerializer(serializers.Serializer[Any]):
    run = serializers.UUIDField(source="row.pk")
    awaited = AwaitedSerializer(allow_null=True)


class OperationsSerializer(serializers.Serializer[Any]):
    alarms = AlarmSerializer(many=True)
    broker = serializers.BooleanField(source="work.broker", help_text="whether it answers")
    queues = WorkQueueSerializer(source="work.queues", many=True)
    metronome = PulseSerializer(source="work.metronome", allow_null=True)
    disk_free = serializers.IntegerField(source="disk.free")
    disk_total = serializers.IntegerField(source="disk.total")
    tables = serializers.IntegerField(help_text="bytes of the centre's tables")
    programs = ProgramSerializer(many=True)
    nodes = BankNodeSerializer(many=True)
    going = GoingSerializer(many=True)


class ExtensionSerializer(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(min_value=1, max_value=7 * 24 * 60)
    reason = serializers.CharField(max_length=300)


@extend_schema(operation_id="centre_operations", responses=OperationsSerializer)
@centre_api()
def operations(request: Any) -> Response:
    """Queues, workers, disk, versions, nodes, what rounds wait for, and what is wrong."""
    return Response(OperationsSerializer(selectors.operations()).data)


@extend_schema(
    operation_id="centre_round_extend", request=ExtensionSerializer, responses=RoundSerializer
)
@centre_api(Role.OPERATOR, methods=["POST"])
def extend(request: Any, round_id: uuid.UUID) -> Response:
    """Let an open round wait longer."""
    row = get_object_or_404(Round, pk=round_id)
    given = ExtensionSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    extended = extend_round(
        actor=request.actor,
        round_=row,
        minutes=given.validated_data["minutes"],
        why=given.validated_data["reason"],
    )
    return Response(RoundSerializer(extended).data)
