"""Transactions by API: find any, say what it turned out to be."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.forms import TransactionSearchForm
from banks.models import Transaction
from banks.selectors import transactions as selectors
from banks.services.labels import label_transaction
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.ANALYST, Role.LEAD, Role.AUDITOR)
NAMES = ("id", "account", "counterparty", "amount_from", "amount_to", "since", "until", "label")


@extend_schema(
    operation_id="transactions_search",
    parameters=[OpenApiParameter(name) for name in (*NAMES, "after")],
    responses=inline_serializer(
        "TransactionPage",
        {
            "next": serializers.CharField(),
            "transactions": wire.TransactionSerializer(many=True),
        },
    ),
)
@bank_api(*READERS)
def search(request: Any) -> Response:
    """Transactions that match all conditions, newest first, 50 at a time."""
    form = TransactionSearchForm(request.query_params)
    if not form.is_valid():
        raise serializers.ValidationError(form.errors.get_json_data())
    found = selectors.search(
        request.bank, after=request.query_params.get("after", ""), **form.wanted
    )
    return Response(
        {
            "next": found.next_cursor,
            "transactions": wire.TransactionSerializer(found.transactions, many=True).data,
        }
    )


@extend_schema(operation_id="transaction_detail", responses=wire.TransactionSerializer)
@bank_api(*READERS)
def detail(request: Any, transaction_id: int) -> Response:
    return Response(wire.TransactionSerializer(transaction_or_404(request, transaction_id)).data)


@extend_schema(
    operation_id="transaction_label",
    request=wire.LabelRequestSerializer,
    responses={201: wire.LabelEventSerializer},
)
@bank_api(Role.ANALYST, Role.LEAD, methods=["POST"])
def label(request: Any, transaction_id: int) -> Response:
    """Say that it was fraud or genuine; the next training learns from it."""
    transaction_or_404(request, transaction_id)
    given = wire.LabelRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    event = label_transaction(
        bank=request.bank,
        actor=request.actor,
        transaction_id=transaction_id,
        **given.validated_data,
    )
    return Response(wire.LabelEventSerializer(event).data, status=201)


def transaction_or_404(request: Any, transaction_id: int) -> Transaction:
    found = selectors.get(request.bank, transaction_id)
    if found is None:
        raise Http404
    return found
