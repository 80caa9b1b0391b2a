"""One alert by API: the same services as the pages, so no rule has two versions."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api import alert_serializers as wire
from banks.api.serializers import WhySerializer
from banks.models import Alert
from banks.selectors import alerts as selectors
from banks.services import alerts as services
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.AUDITOR)
REVIEWERS = (Role.ANALYST, Role.LEAD)


@extend_schema(operation_id="alert_detail", responses=wire.AlertSerializer)
@bank_api(*READERS)
def detail(request: Any, alert_id: uuid.UUID) -> Response:
    return Response(wire.AlertSerializer(alert_or_404(request, alert_id)).data)


@extend_schema(operation_id="alert_history", responses=wire.AlertEventSerializer(many=True))
@bank_api(*READERS)
def history(request: Any, alert_id: uuid.UUID) -> Response:
    events = alert_or_404(request, alert_id).events.select_related("user")
    return Response(wire.AlertEventSerializer(events, many=True).data)


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
    operation_id="alert_snooze", request=wire.SnoozeSerializer, responses=wire.AlertSerializer
)
@bank_api(*REVIEWERS, methods=["POST"])
def snooze(request: Any, alert_id: uuid.UUID) -> Response:
    """Put it off until a time, with the reason; then it comes back to everybody."""
    alert_or_404(request, alert_id)
    given = wire.SnoozeSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    services.snooze(
        bank=request.bank, actor=request.actor, alert_id=alert_id, **given.validated_data
    )
    return _answer(request, alert_id)


@extend_schema(operation_id="alert_undo", request=None, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def undo(request: Any, alert_id: uuid.UUID) -> Response:
    """Undo one's own decision within 10 seconds."""
    alert_or_404(request, alert_id)
    services.undo(bank=request.bank, actor=request.actor, alert_id=alert_id)
    return _answer(request, alert_id)


@extend_schema(operation_id="alert_reopen", request=WhySerializer, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def reopen(request: Any, alert_id: uuid.UUID) -> Response:
    alert_or_404(request, alert_id)
    given = WhySerializer(data=request.data)
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
