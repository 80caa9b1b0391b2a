"""Freeze requests by API: written, submitted, approved by a second person, carried out, lifted."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api import case_serializers as wire
from banks.api.serializers import WhySerializer
from banks.models import FreezeRequest
from banks.selectors import cases as selectors
from banks.selectors.cases import APPROVERS, READERS, WORKERS
from banks.services.cases import freezes as services
from consortium.accounts.access import bank_api


@extend_schema(
    operation_id="freeze_draft",
    request=wire.NewFreezeSerializer,
    responses={201: wire.FreezeSerializer},
)
@bank_api(*WORKERS, methods=["POST"])
def draft(request: Any, case_id: uuid.UUID) -> Response:
    """A draft within a case; without an account it is the case's own."""
    if selectors.get(request.bank, case_id) is None:
        raise Http404
    given = _given(wire.NewFreezeSerializer, request)
    freeze = services.draft(bank=request.bank, actor=request.actor, case_id=case_id, **given)
    return _answer(request, freeze.pk, status=201)


@extend_schema(operation_id="freeze_detail", responses=wire.FreezeSerializer)
@bank_api(*READERS)
def detail(request: Any, freeze_id: uuid.UUID) -> Response:
    return _answer(request, freeze_id)


@extend_schema(
    operation_id="freeze_save",
    request=wire.NewFreezeSerializer,
    responses=wire.FreezeSerializer,
)
@bank_api(*WORKERS, methods=["POST"])
def save(request: Any, freeze_id: uuid.UUID) -> Response:
    """Write a draft or a returned request anew."""
    return _done(request, freeze_id, services.revise, **_given(wire.NewFreezeSerializer, request))


@extend_schema(operation_id="freeze_submit", request=None, responses=wire.FreezeSerializer)
@bank_api(*WORKERS, methods=["POST"])
def submit(request: Any, freeze_id: uuid.UUID) -> Response:
    """Ask the second person; 422 says that something is missing."""
    return _done(request, freeze_id, services.submit)


@extend_schema(
    operation_id="freeze_approve", request=wire.NoteSerializer, responses=wire.FreezeSerializer
)
@bank_api(*APPROVERS, methods=["POST"])
def approve(request: Any, freeze_id: uuid.UUID) -> Response:
    """Refused to who wrote or submitted it."""
    return _done(request, freeze_id, services.approve, **_given(wire.NoteSerializer, request))


@extend_schema(
    operation_id="freeze_return", request=wire.NoteSerializer, responses=wire.FreezeSerializer
)
@bank_api(*APPROVERS, methods=["POST"])
def send_back(request: Any, freeze_id: uuid.UUID) -> Response:
    return _done(request, freeze_id, services.send_back, **_given(wire.NoteSerializer, request))


@extend_schema(
    operation_id="freeze_carry_out",
    request=wire.CarryOutSerializer,
    responses=wire.FreezeSerializer,
)
@bank_api(*WORKERS, methods=["POST"])
def carry_out(request: Any, freeze_id: uuid.UUID) -> Response:
    """Write down that the account was stopped in the core system."""
    given = _given(wire.CarryOutSerializer, request)
    return _done(request, freeze_id, services.carry_out, **given)


@extend_schema(operation_id="freeze_lift", request=WhySerializer, responses=wire.FreezeSerializer)
@bank_api(*APPROVERS, methods=["POST"])
def lift(request: Any, freeze_id: uuid.UUID) -> Response:
    return _done(request, freeze_id, services.lift, **_given(WhySerializer, request))


def _given(serializer: Any, request: Any) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _freeze_or_404(request: Any, freeze_id: uuid.UUID) -> FreezeRequest:
    freeze = selectors.freeze(request.bank, freeze_id)
    if freeze is None:
        raise Http404
    return freeze


def _done(request: Any, freeze_id: uuid.UUID, change: Any, **facts: Any) -> Response:
    _freeze_or_404(request, freeze_id)
    change(bank=request.bank, actor=request.actor, freeze_id=freeze_id, **facts)
    return _answer(request, freeze_id)


def _answer(request: Any, freeze_id: uuid.UUID, status: int = 200) -> Response:
    found = wire.FreezeSerializer(_freeze_or_404(request, freeze_id))
    return Response(found.data, status=status)
