"""Model versions by API: figures, thresholds, which one scores."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.api.evidence_serializers import VersionEvidenceSerializer
from banks.models import ModelVersion
from banks.selectors import performance
from banks.selectors.evidence import Evidence
from banks.services import versions
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role
from consortium.parsing import whole_number

OWNERS = (Role.MODEL_OWNER, Role.LEAD)


@extend_schema(operation_id="versions_list", responses=wire.VersionSerializer(many=True))
@bank_api()
def listing(request: Any) -> Response:
    found = ModelVersion.objects.filter(bank=request.bank).defer("artifact")[:200]
    return Response(wire.VersionSerializer(found, many=True).data)


@extend_schema(
    operation_id="version_figures",
    parameters=[
        OpenApiParameter("window", enum=["test", "validation"]),
        OpenApiParameter("cut", int, description="bin of the score grid, 0 to 512"),
    ],
    responses=wire.FiguresSerializer,
)
@bank_api()
def figures(request: Any, version_id: uuid.UUID) -> Response:
    """Matrix and figures at the version's threshold, or at ``cut``."""
    query = request.query_params
    window = "validation" if query.get("window") == "validation" else "test"
    cut = whole_number(query, "cut")
    found = performance.figures_of(version_or_404(request, version_id), window=window, cut=cut)
    if found is None:
        raise Http404
    return Response(wire.FiguresSerializer(found).data)


@extend_schema(
    operation_id="version_evidence",
    parameters=[OpenApiParameter("window", enum=["test", "validation"])],
    responses=VersionEvidenceSerializer,
)
@bank_api()
def evidence(request: Any, version_id: uuid.UUID) -> Response:
    """All figures with their intervals: calibration, days, value, and the parts of the window."""
    window = "validation" if request.query_params.get("window") == "validation" else "test"
    found = performance.figures_of(version_or_404(request, version_id), window=window)
    if found is None:
        raise Http404
    return Response(VersionEvidenceSerializer(Evidence(found)).data)


@extend_schema(operation_id="performance", responses=wire.SideBySideSerializer(many=True))
@bank_api()
def side_by_side(request: Any) -> Response:
    """Alone, consortium and ensemble on one window, each with as many alerts a day."""
    found = performance.side_by_side(request.bank)
    return Response(wire.SideBySideSerializer(found, many=True).data)


@extend_schema(
    operation_id="version_use", request=wire.WhySerializer, responses=wire.VersionSerializer
)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def use(request: Any, version_id: uuid.UUID) -> Response:
    """From now on this version scores."""
    version_or_404(request, version_id)
    version = versions.choose_scoring_version(
        bank=request.bank, actor=request.actor, version_id=version_id, reason=_why(request)
    )
    return Response(wire.VersionSerializer(version).data)


@extend_schema(
    operation_id="version_roll_back", request=wire.WhySerializer, responses=wire.VersionSerializer
)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def roll_back(request: Any) -> Response:
    """Score again with the version before the present one."""
    version = versions.roll_back(bank=request.bank, actor=request.actor, reason=_why(request))
    return Response(wire.VersionSerializer(version).data)


@extend_schema(operation_id="version_retire", request=None, responses=wire.VersionSerializer)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def retire(request: Any, version_id: uuid.UUID) -> Response:
    version_or_404(request, version_id)
    versions.retire(bank=request.bank, actor=request.actor, version_id=version_id)
    return Response(wire.VersionSerializer(version_or_404(request, version_id)).data)


@extend_schema(operation_id="version_thresholds", responses=wire.ThresholdSerializer(many=True))
@bank_api()
def threshold_history(request: Any, version_id: uuid.UUID) -> Response:
    found = version_or_404(request, version_id).thresholds.select_related("set_by")
    return Response(wire.ThresholdSerializer(found, many=True).data)


def version_or_404(request: Any, version_id: uuid.UUID) -> ModelVersion:
    found = ModelVersion.objects.defer("artifact").filter(bank=request.bank, pk=version_id).first()
    if found is None:
        raise Http404
    return found


def _why(request: Any) -> str:
    given = wire.WhySerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["reason"])
