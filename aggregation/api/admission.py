"""A bank's way in by API: its steps, and the number that an operator heard."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from aggregation.api.standing_serializers import BankNameSerializer
from aggregation.selectors import members
from aggregation.selectors.admission import admission
from aggregation.selectors.agreements import agreements
from aggregation.services.comparing import compare_keys
from consortium.accounts.access import centre_api
from consortium.accounts.models import Bank, Role
from consortium.serializers import StepSerializer


class AdmissionSerializer(serializers.Serializer[Any]):
    bank = BankNameSerializer()
    steps = StepSerializer(many=True)


class HeardSerializer(serializers.Serializer[Any]):
    said = serializers.CharField(max_length=200, help_text="the digits that the bank read out")


@extend_schema(operation_id="centre_bank_admission", responses=AdmissionSerializer)
@centre_api()
def steps(request: Any, slug: str) -> Response:
    """How far a bank has come from its invitation to its first round."""
    found = members.members(slug=slug)
    if not found:
        raise Http404
    path = admission(found[0], request.user, agreements()).steps
    return Response(AdmissionSerializer({"bank": found[0].bank, "steps": path}).data)


@extend_schema(operation_id="centre_bank_compare", request=HeardSerializer, responses={204: None})
@centre_api(Role.OPERATOR, methods=["POST"])
def compare(request: Any, slug: str) -> Response:
    """Keep that the number somebody read out is the one of the bank's keys."""
    bank = get_object_or_404(Bank, slug=slug)
    given = HeardSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    compare_keys(actor=request.actor, bank=bank, **given.validated_data)
    return Response(status=204)
