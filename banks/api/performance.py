"""Thresholds tried out, changed by two people, and the rows behind a count: by API."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from banks.api import performance_serializers as wire
from banks.api import serializers
from banks.api.versions import OWNERS, version_or_404
from banks.ml.scored import CELLS
from banks.models import ThresholdChange
from banks.performance_forms import StudioForm
from banks.selectors import drilldown, performance, together
from banks.selectors import studio as studios
from banks.selectors import threshold_changes as selectors
from banks.selectors.drilldown import Selection
from banks.selectors.monthly import month_of
from banks.services import threshold_changes as services
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role
from consortium.parsing import whole_number

OPENERS = (Role.ANALYST, Role.LEAD, Role.AUDITOR)
CUT = OpenApiParameter("cut", int, description="bin of the score grid, 0 to 512")


@extend_schema(
    operation_id="version_studio",
    parameters=[
        CUT,
        OpenApiParameter("prevalence", float, description="real share of fraud in per cent"),
        OpenApiParameter("aim", enum=["precision", "recall", "reviews", "value", "f1"]),
        OpenApiParameter("precision", float, description="target in per cent"),
        OpenApiParameter("recall", float, description="target in per cent"),
        OpenApiParameter("reviews", float, description="target a day"),
    ],
    responses=wire.StudioSerializer,
)
@bank_api()
def studio(request: Any, version_id: uuid.UUID) -> Response:
    """What a threshold would do on the test window, or the threshold that reaches an aim."""
    version = version_or_404(request, version_id)
    figures = performance.figures_of(version, cut=whole_number(request.query_params, "cut"))
    form = StudioForm(request.query_params)
    if figures is None:
        raise Http404
    if not form.is_valid():
        return Response({"code": "invalid", "message": "", "fields": form.errors}, status=422)
    return Response(wire.StudioSerializer(studios.studio(figures, **form.wanted)).data)


@extend_schema(
    operation_id="version_rows",
    parameters=[
        CUT,
        OpenApiParameter("cell", enum=list(CELLS), required=True),
        OpenApiParameter("split", enum=["channel", "band", "typology"]),
        OpenApiParameter("value"),
        OpenApiParameter("after", int, description="``next`` of the page before"),
    ],
    responses=wire.OpenedSerializer,
)
@bank_api(*OPENERS)
def rows(request: Any, version_id: uuid.UUID) -> Response:
    """The transactions that a cell of the matrix counts, 50 at a time by score."""
    query = request.query_params
    figures = performance.figures_of(
        version_or_404(request, version_id), cut=whole_number(query, "cut")
    )
    window = drilldown.window_of(figures.evaluation) if figures else None
    selection = Selection.from_query(query, figures.cut) if figures else None
    which = drilldown.chosen(window, selection) if window and selection else None
    if window is None or which is None:
        raise Http404
    found = drilldown.opened(window, which, after=whole_number(query, "after") or 0)
    return Response(wire.OpenedSerializer(found).data)


@extend_schema(
    operation_id="version_caught",
    parameters=[
        OpenApiParameter("by", enum=list(together.WHO)),
        OpenApiParameter("after", int, description="``next`` of the page before"),
    ],
    responses=wire.OpenedSerializer,
)
@bank_api(*OPENERS)
def caught(request: Any, version_id: uuid.UUID) -> Response:
    """Frauds that only this version, only the own model, both or neither catches."""
    query = request.query_params
    comparison = together.newest_comparison(version_or_404(request, version_id))
    found = together.pairing(comparison) if comparison else None
    who = query.get("by", "version")
    if found is None or who not in together.WHO:
        raise Http404
    after = whole_number(query, "after") or 0
    opened = drilldown.opened(found.window, found.caught(who), after=after)
    return Response(wire.OpenedSerializer(opened).data)


@extend_schema(
    operation_id="performance_month",
    parameters=[OpenApiParameter("month", description="YYYY-MM; the present month if not given")],
    responses=wire.MonthSerializer,
)
@bank_api()
def month(request: Any) -> Response:
    """A calendar month of the desk on the bank's own clock; what is not measured is null."""
    found = month_of(request.bank, request.query_params.get("month", ""))
    if found is None:
        raise Http404
    return Response(wire.MonthSerializer(found).data)


@extend_schema(
    operation_id="threshold_changes", responses=wire.ThresholdChangeSerializer(many=True)
)
@bank_api()
def changes(request: Any) -> Response:
    """Changes of thresholds: those under way, then those that came to an end."""
    found = [*selectors.waiting(request.bank), *selectors.closed(request.bank)]
    return Response(wire.ThresholdChangeSerializer(found, many=True).data)


@extend_schema(
    operation_id="version_threshold_propose",
    request=wire.ThresholdProposalSerializer,
    responses={201: wire.ThresholdChangeSerializer},
)
@bank_api(*OWNERS, methods=["POST"])
def propose(request: Any, version_id: uuid.UUID) -> Response:
    """Ask for another threshold; it takes effect when a second person has approved it."""
    version_or_404(request, version_id)
    given = wire.ThresholdProposalSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    change = services.propose(
        bank=request.bank, actor=request.actor, version_id=version_id, **given.validated_data
    )
    return Response(wire.ThresholdChangeSerializer(change).data, status=201)


@extend_schema(
    operation_id="threshold_change_approve",
    request=wire.ThresholdNoteSerializer,
    responses=wire.ThresholdChangeSerializer,
)
@bank_api(*OWNERS, methods=["POST"])
def approve(request: Any, change_id: uuid.UUID) -> Response:
    """Say yes, as the second person."""
    note = _note(request, change_id)
    services.approve(bank=request.bank, actor=request.actor, change_id=change_id, note=note)
    return _answer(change_id)


@extend_schema(
    operation_id="threshold_change_return",
    request=wire.ThresholdNoteSerializer,
    responses=wire.ThresholdChangeSerializer,
)
@bank_api(*OWNERS, methods=["POST"])
def send_back(request: Any, change_id: uuid.UUID) -> Response:
    """Say no, and why."""
    note = _note(request, change_id)
    services.send_back(bank=request.bank, actor=request.actor, change_id=change_id, note=note)
    return _answer(change_id)


@extend_schema(
    operation_id="threshold_change_withdraw",
    request=None,
    responses=wire.ThresholdChangeSerializer,
)
@bank_api(*OWNERS, methods=["POST"])
def withdraw(request: Any, change_id: uuid.UUID) -> Response:
    """Take a proposal, or what is scheduled, back."""
    _note(request, change_id)
    services.withdraw(bank=request.bank, actor=request.actor, change_id=change_id)
    return _answer(change_id)


@extend_schema(
    operation_id="version_threshold_roll_back",
    request=serializers.WhySerializer,
    responses={201: serializers.ThresholdSerializer},
)
@bank_api(*OWNERS, methods=["POST"])
def roll_back(request: Any, version_id: uuid.UUID) -> Response:
    """Bring back the threshold before the present one, at once."""
    version_or_404(request, version_id)
    given = serializers.WhySerializer(data=request.data)
    given.is_valid(raise_exception=True)
    restored = services.roll_back(
        bank=request.bank, actor=request.actor, version_id=version_id, **given.validated_data
    )
    return Response(serializers.ThresholdSerializer(restored).data, status=201)


def _note(request: Any, change_id: uuid.UUID) -> str:
    if not selectors.exists(request.bank, change_id):
        raise Http404
    given = wire.ThresholdNoteSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["note"])


def _answer(change_id: uuid.UUID) -> Response:
    change = ThresholdChange.objects.select_related("version", "proposed_by", "decided_by")
    return Response(wire.ThresholdChangeSerializer(change.get(pk=change_id)).data)
