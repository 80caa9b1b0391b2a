"""The bank's way in by API: where it stands, and a walk to the coordinator."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.selectors.joining import joining
from banks.services.connection import probe_connection
from banks.views.onboarding import READERS, TESTERS
from consortium.accounts.access import bank_api
from consortium.serializers import StepSerializer


class JoiningSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="the check number of this bank's keys")
    trouble = serializers.CharField(help_text="the line's last trouble; empty: none")
    steps = StepSerializer(many=True)


class HopSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=["ok", "warning", "failed", "skipped"])
    detail = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)
    advice = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField()


@extend_schema(operation_id="joining", responses=JoiningSerializer)
@bank_api(*READERS)
def read(request: Any) -> Response:
    """How far this bank has come from its keys to its first round."""
    return Response(JoiningSerializer(joining(request.bank)).data)


@extend_schema(operation_id="connection_test", request=None, responses=HopSerializer(many=True))
@bank_api(*TESTERS, methods=["POST"])
def probe(request: Any) -> Response:
    """Walk to the coordinator, hop by hop."""
    hops = probe_connection(actor=request.actor, bank=request.bank)
    return Response(HopSerializer(hops, many=True).data)
