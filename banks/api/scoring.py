"""The scoring API: a transaction in, its score and perhaps an alert out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.services.scoring import NewTransaction, score_transactions
from consortium.accounts.access import bank_api


@extend_schema(
    operation_id="score",
    request=wire.ScoreRequestSerializer,
    responses=wire.ScoreAnswerSerializer,
)
@bank_api(methods=["POST"], scope="score")
def score(request: Any) -> Response:
    """Store and score 1 to 100 transactions; the same id again gets the same answer."""
    given = wire.ScoreRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    scored = score_transactions(
        bank=request.bank,
        transactions=[_transaction(one) for one in given.validated_data["transactions"]],
    )
    return Response(wire.ScoreAnswerSerializer({"results": scored}).data)


def _transaction(given: dict[str, Any]) -> NewTransaction:
    extra = tuple(given["extra"].items())
    return NewTransaction(**{**given, "extra": extra})
