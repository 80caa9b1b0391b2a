"""The scoring API: a transaction in, its score and perhaps an alert out."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.services.scoring import NewTransaction, score_transactions
from consortium.accounts.access import bank_api

# Made once: a serializer copies all its fields when it is made, which takes longer than reading.
REQUEST: Final = wire.ScoreRequestSerializer()
ANSWER: Final = wire.ScoreAnswerSerializer()


@extend_schema(
    operation_id="score",
    request=wire.ScoreRequestSerializer,
    responses=wire.ScoreAnswerSerializer,
)
@bank_api(methods=["POST"], scope="score")
def score(request: Any) -> Response:
    """Store and score 1 to 100 transactions; the same id again gets the same answer."""
    given = REQUEST.run_validation(request.data)
    scored = score_transactions(
        bank=request.bank,
        transactions=[_transaction(one) for one in given["transactions"]],
    )
    return Response(ANSWER.to_representation({"results": scored}))


def _transaction(given: dict[str, Any]) -> NewTransaction:
    extra = tuple(given["extra"].items())
    return NewTransaction(**{**given, "extra": extra})
