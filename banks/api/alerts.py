"""Alerts by API: the same services as the pages, so no rule has two versions."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.models import Alert
from banks.selectors import alerts as selectors
from banks.services import alerts as services
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.AUDITOR)
REVIEWERS = (Role.ANALYST, Role.LEAD)


@extend_schema(
    operation_id="alerts_list",
    parameters=[
        OpenApiParameter("view", enum=list(selectors.VIEWS)),
        OpenApiParameter("channel"),
        OpenApiParameter("only", enum=["consortium"]),
        OpenApiParameter("after", description="``next`` of the page before"),
    ],
    responses=wire.QueueSerializer,
)
@bank_api(*READERS)
def queue(request: Any) -> Response:
    """The queue by expected loss, 50 at a time."""
    found = selectors.queue(
        request.bank, request.user, selectors.Filters.from_query(request.query_params)
    )
    return Response(wire.QueueSerializer(found).data)


@extend_schema(operation_id="alert_detail", responses=wire.AlertSerializer)
@bank_api(*READERS)
def detail(request: Any, alert_id: uuid.UUID) -> Response:
    return Response(wire.AlertSerializer(alert_or_404(request, alert_id)).data)


@extend_schema(operation_id="alert_history", responses=wire.AlertEventSerializer(many=True))
@bank_api(*READERS)
def history(request: Any, alert_id: uuid.UUID) -> Response:
    events = alert_or_404(request, alert_id).events.select_related("user")
    return Response(wire.AlertEventSerializer(events, many=True).data)


@extend_schema(operation_id="alerts_next", request=None, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def take_next(request: Any) -> Response:
    """Take the open alert with the largest expected loss; 204 when none is open."""
    alert = services.claim_next(bank=request.bank, actor=request.actor)
    return _answer(request, alert.pk) if alert else Response(status=204)


@extend_schema(operation_id="alert_claim", request=None, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def claim(request: Any, alert_id: uuid.UUID) -> Response:
    alert_or_404(request, alert_id)
    services.claim(bank=request.bank, actor=request.actor, alert_id=alert_id)
    return _answer(request, alert_id)


@extend_schema(operation_id="alert_release", request=None, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def release(request: Any, alert_id: uuid.UUID) -> Response:
    alert_or_404(request, alert_id)
    services.release(bank=request.bank, actor=request.actor, alert_id=alert_id)
    return _answer(request, alert_id)


@extend_schema(
    operation_id="alert_comment",
    request=wire.TextSerializer,
    responses={201: wire.AlertEventSerializer},
)
@bank_api(*REVIEWERS, methods=["POST"])
def comment(request: Any, alert_id: uuid.UUID) -> Response:
    alert_or_404(request, alert_id)
    given = wire.TextSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    event = services.comment(
        bank=request.bank, actor=request.actor, alert_id=alert_id, **given.validated_data
    )
    return Response(wire.AlertEventSerializer(event).data, status=201)


@extend_schema(
    operation_id="alert_decide", request=wire.DecisionSerializer, responses=wire.AlertSerializer
)
@bank_api(*REVIEWERS, methods=["POST"])
def decide(request: Any, alert_id: uuid.UUID) -> Response:
    """Close with a disposition and a reason; 409 says who was first, and when."""
    alert_or_404(request, alert_id)
    given = wire.DecisionSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    services.decide(
        bank=request.bank, actor=request.actor, alert_id=alert_id, **given.validated_data
    )
    return _answer(request, alert_id)


@extend_schema(
    operation_id="alert_reopen", request=wire.WhySerializer, responses=wire.AlertSerializer
)
@bank_api(*REVIEWERS, methods=["POST"])
def reopen(request: Any, alert_id: uuid.UUID) -> Response:
    alert_or_404(request, alert_id)
    given = wire.WhySerializer(data=request.data)
    given.is_valid(raise_exception=True)
    services.reopen(
        bank=request.bank, actor=request.actor, alert_id=alert_id, **given.validated_data
    )
    return _answer(request, alert_id)


def alert_or_404(request: Any, alert_id: uuid.UUID) -> Alert:
    alert = selectors.get(request.bank, alert_id)
    if alert is None:
        raise Http404
    return alert


def _answer(request: Any, alert_id: uuid.UUID) -> Response:
    return Response(wire.AlertSerializer(alert_or_404(request, alert_id)).data)
