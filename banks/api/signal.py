"""The cross-bank signal by API: how far it reaches, what it is worth, the bank's word on terms."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks import wake
from banks.models import SignalOpening, SignalPrice
from banks.selectors import signal as selectors
from banks.services.rounds.node import Node
from banks.services.signal import consent
from banks.views.signal import MEASURERS, READERS
from consortium.accounts import audit
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role


class OpeningSerializer(serializers.ModelSerializer[SignalOpening]):
    class Meta:
        model = SignalOpening
        fields = ("task", "first_day", "end_day", "banks", "counterparties", "cells", "opened_at")


class PriceSerializer(serializers.ModelSerializer[SignalPrice]):
    class Meta:
        model = SignalPrice
        fields = ("measured_at", "window_from", "window_until", "rows", "frauds", "steps")


class SignalSerializer(serializers.Serializer[selectors.Standing]):
    until = serializers.DateField(allow_null=True, help_text="the last day that was told")
    age_days = serializers.IntegerField(allow_null=True)
    openings = OpeningSerializer(many=True)
    price = PriceSerializer(allow_null=True)


class WordSerializer(serializers.Serializer[Any]):
    terms = serializers.RegexField(r"^[0-9a-f]{64}$", help_text="SHA-256 of the terms decided on")
    accept = serializers.BooleanField()


@extend_schema(operation_id="signal", responses=SignalSerializer)
@bank_api(*READERS)
def signal(request: Any) -> Response:
    return Response(SignalSerializer(selectors.standing(request.bank)).data)


@extend_schema(operation_id="signal_decide", request=WordSerializer, responses={204: None})
@bank_api(Role.BANK_ADMIN, methods=["POST"])
def decide(request: Any, task: uuid.UUID) -> Response:
    word = WordSerializer(data=request.data)
    word.is_valid(raise_exception=True)
    consent.decide_shown(
        node=Node(request.bank),
        actor=request.actor,
        task=str(task),
        shown=word.validated_data["terms"],
        accept=word.validated_data["accept"],
    )
    return Response(status=204)


@extend_schema(operation_id="signal_measure", request=None, responses={202: None})
@bank_api(*MEASURERS, methods=["POST"])
def measure(request: Any) -> Response:
    """Measure what each step of the policy is worth, on the bank's worker."""
    audit.record(actor=request.actor, verb="signal.price.requested", bank=request.bank)
    wake.for_signal_price(request.bank)
    return Response(status=202)
