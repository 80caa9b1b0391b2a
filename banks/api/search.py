"""Search by API: the same groups as the page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.api.case_serializers import CaseSerializer
from banks.api.serializers import TransactionSerializer
from banks.selectors import search as selectors
from consortium.accounts.access import bank_api


class FoundAlertSerializer(serializers.Serializer[Any]):
    pk = serializers.UUIDField()
    status = serializers.CharField()
    transaction = TransactionSerializer()


class FoundSerializer(serializers.Serializer[Any]):
    """What was found of each kind, 8 at most; ``counts`` stop at 101."""

    counts = serializers.DictField(child=serializers.IntegerField())
    cases = CaseSerializer(many=True)
    alerts = FoundAlertSerializer(many=True)
    accounts = serializers.ListField(child=serializers.CharField())
    counterparties = serializers.ListField(child=serializers.CharField())
    transactions = TransactionSerializer(many=True)


KINDS = ("cases", "alerts", "accounts", "counterparties", "transactions")


@extend_schema(
    operation_id="search",
    parameters=[OpenApiParameter("q", description="an id or its beginning, 2 characters or more")],
    responses=FoundSerializer,
)
@bank_api(*selectors.ALERT_READERS)
def search(request: Any) -> Response:
    """Exact ids first, then what begins with the word; only kinds that the role may read."""
    found = selectors.search(request.membership, request.query_params.get("q", ""))
    whole = {group.kind: group.found for group in found}
    counts = {group.kind: group.count for group in found}
    empty = dict.fromkeys(KINDS, ())
    return Response(FoundSerializer({"counts": counts, **empty, **whole}).data)
