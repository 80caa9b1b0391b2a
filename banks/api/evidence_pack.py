"""Votes and the evidence pack by API."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.services.evidence_pack import export_pack
from banks.services.rounds import votes
from banks.services.rounds.node import Node
from banks.views.privacy import READERS
from consortium.accounts.access import bank_api


class RosterVotedSerializer(serializers.Serializer[Any]):
    task = serializers.UUIDField()
    version = serializers.IntegerField()
    at = serializers.DateTimeField(help_text="when this bank accepted it")
    signed = serializers.ListField(child=serializers.CharField())
    came = serializers.ListField(child=serializers.CharField())
    left = serializers.ListField(child=serializers.CharField())


class ModelVotedSerializer(serializers.Serializer[Any]):
    task = serializers.UUIDField()
    run = serializers.UUIDField()
    model = serializers.CharField()
    accepted = serializers.ListField(child=serializers.CharField())
    refused = serializers.ListField(child=serializers.CharField())


class VotesSerializer(serializers.Serializer[Any]):
    members = RosterVotedSerializer(many=True)
    models = ModelVotedSerializer(many=True)


@extend_schema(operation_id="votes", responses=VotesSerializer)
@bank_api(*READERS)
def agreed(request: Any) -> Response:
    """Who signed which members and which model; signatures checked here."""
    node = Node(request.bank)
    models = [voted for voted, _signed in votes.on_models(node)]
    found = {"members": votes.on_members(node), "models": models}
    return Response(VotesSerializer(found).data)


@extend_schema(
    operation_id="evidence_pack",
    responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY)},
)
@bank_api(*READERS)
def pack(request: Any) -> HttpResponse:
    """Everything for an auditor in one archive; `verify_participation` checks it offline."""
    content = export_pack(actor=request.actor, node=Node(request.bank))
    return HttpResponse(content, content_type="application/zip")
