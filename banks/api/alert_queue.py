"""The alert queue by API: pages, facets, acts on several alerts, saved views."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from banks.api import alert_serializers as wire
from banks.selectors import alerts as selectors
from banks.services import alerts as services
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.ANALYST, Role.LEAD, Role.MODEL_OWNER, Role.AUDITOR)
REVIEWERS = (Role.ANALYST, Role.LEAD)
FILTERS = [
    OpenApiParameter("view", enum=list(selectors.VIEWS)),
    OpenApiParameter("channel"),
    OpenApiParameter("amount", enum=["0", "1", "2", "3"], description="band"),
    OpenApiParameter("age", enum=["overdue", "today", "later"]),
    OpenApiParameter("only", enum=["consortium", "veiled"]),
    OpenApiParameter("q", description="an account, a counterparty or a transaction id"),
]


@extend_schema(
    operation_id="alerts_list",
    parameters=[*FILTERS, OpenApiParameter("after", description="``next`` of the page before")],
    responses=wire.QueueSerializer,
)
@bank_api(*READERS)
def queue(request: Any) -> Response:
    """The queue by priority (expected loss), 50 at a time."""
    filters = selectors.Filters.from_query(request.query_params)
    found = selectors.queue(request.bank, request.user, filters)
    total = selectors.counts(request.bank, request.user, filters).total
    return Response(wire.QueueSerializer({**vars(found), "total": total}).data)


@extend_schema(operation_id="alerts_facets", parameters=FILTERS, responses=wire.CountsSerializer)
@bank_api(*READERS)
def facets(request: Any) -> Response:
    filters = selectors.Filters.from_query(request.query_params)
    return Response(
        wire.CountsSerializer(selectors.counts(request.bank, request.user, filters)).data
    )


@extend_schema(operation_id="alerts_next", request=None, responses=wire.AlertSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def take_next(request: Any) -> Response:
    """The best alert in one's hands, else the best open one, taken; 204 when none is open."""
    taken = services.claim_next(bank=request.bank, actor=request.actor)
    if taken is None:
        return Response(status=204)
    return Response(wire.AlertSerializer(selectors.get(request.bank, taken.pk)).data)


@extend_schema(
    operation_id="alerts_bulk",
    request=wire.BulkRequestSerializer,
    responses={201: wire.BulkActionSerializer},
)
@bank_api(*REVIEWERS, methods=["POST"])
def bulk(request: Any) -> Response:
    """One act on several alerts; those that refuse are skipped with their reason."""
    given = wire.BulkRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    done = services.do_at_once(
        bank=request.bank,
        actor=request.actor,
        act=given.validated_data["act"],
        alert_ids=given.validated_data["alerts"],
        **given.facts,
    )
    return Response(wire.BulkActionSerializer(done).data, status=201)


@extend_schema(operation_id="alerts_bulk_undo", request=None, responses=wire.BulkActionSerializer)
@bank_api(*REVIEWERS, methods=["POST"])
def undo_bulk(request: Any, bulk_id: uuid.UUID) -> Response:
    """Undo one's own bulk decision within 10 seconds."""
    done = services.undo_bulk(bank=request.bank, actor=request.actor, bulk_id=bulk_id)
    return Response(wire.BulkActionSerializer(done).data)


@extend_schema(
    methods=["GET"],
    operation_id="alert_views_list",
    responses=wire.SavedViewSerializer(many=True),
)
@extend_schema(
    methods=["POST"],
    operation_id="alert_views_save",
    request=wire.SavedViewSerializer,
    responses={201: wire.SavedViewSerializer},
)
@bank_api(*READERS, methods=["GET", "POST"])
def views(request: Any) -> Response:
    """One's own views of the queue; a name saved again is replaced."""
    if request.method == "GET":
        found = selectors.saved_views(request.bank, request.user)
        return Response(wire.SavedViewSerializer(found, many=True).data)
    given = wire.SavedViewSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    saved = services.save_view(bank=request.bank, actor=request.actor, **given.validated_data)
    return Response(wire.SavedViewSerializer(saved).data, status=201)


@extend_schema(operation_id="alert_views_delete", responses={204: None})
@bank_api(*READERS[:3], methods=["DELETE"])
def delete_view(request: Any, view_id: uuid.UUID) -> Response:
    """Delete one's own view; 204 also where it is gone already."""
    services.delete_view(bank=request.bank, actor=request.actor, view_id=view_id)
    return Response(status=204)
