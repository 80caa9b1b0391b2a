"""The bank's own node by API: workers, queues, the line to the coordinator, disk, versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.selectors.node import node_state
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role
from consortium.serializers import ProgramSerializer, PulseSerializer, WorkQueueSerializer


class NodeSerializer(serializers.Serializer[Any]):
    broker = serializers.BooleanField(help_text="whether it answers")
    queues = WorkQueueSerializer(many=True)
    metronome = PulseSerializer(allow_null=True)
    last_contact_at = serializers.DateTimeField(source="line.last_contact_at", default=None)
    trouble = serializers.CharField(help_text="the line's last trouble; empty: none")
    disk_free = serializers.IntegerField(source="disk.free")
    disk_total = serializers.IntegerField(source="disk.total")
    folder = serializers.IntegerField(help_text="bytes of the bank's own folder")
    tables = serializers.IntegerField(allow_null=True, help_text="bytes; null in the demo")
    programs = ProgramSerializer(many=True)
    coordinator = serializers.CharField()


@extend_schema(operation_id="node", responses=NodeSerializer)
@bank_api(Role.BANK_ADMIN, Role.AUDITOR)
def node(request: Any) -> Response:
    """How this bank's node is."""
    return Response(NodeSerializer(node_state(request.bank)).data)
