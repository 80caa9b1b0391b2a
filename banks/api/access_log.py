"""The access log by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.selectors.access_log import PERIODS, Wanted, looks
from banks.views.access_log import READERS
from consortium.accounts.access import bank_api
from consortium.parsing import whole_number


class LookSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    who = serializers.CharField()
    act = serializers.ChoiceField(choices=["viewed", "exported"])
    what = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    by_program = serializers.BooleanField()


class AccessPageSerializer(serializers.Serializer[Any]):
    looks = LookSerializer(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class WantedSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(default=30, min_value=1, max_value=PERIODS[-1])
    act = serializers.ChoiceField(choices=["", "viewed", "exported"], default="", allow_blank=True)
    who = serializers.CharField(default="", allow_blank=True, max_length=120)


@extend_schema(
    operation_id="access_log", parameters=[WantedSerializer], responses=AccessPageSerializer
)
@bank_api(*READERS)
def read(request: Any) -> Response:
    """Looks and exports, newest first; `?before=next_before` for older ones."""
    given = WantedSerializer(data=request.query_params)
    given.is_valid(raise_exception=True)
    before = whole_number(request.query_params, "before")
    page = looks(request.bank, Wanted(**given.validated_data), before=before)
    return Response(AccessPageSerializer(page).data)
