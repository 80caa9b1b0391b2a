"""A version to take along: its model card as JSON, and the model itself as ONNX."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api.evidence_serializers import VersionEvidenceSerializer
from banks.api.versions import version_or_404
from banks.models import ModelVersion
from banks.selectors import performance
from banks.selectors.cards import card_of
from banks.selectors.evidence import Evidence
from banks.services.onnx_export import export_onnx
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)


@extend_schema(operation_id="version_card", responses=OpenApiTypes.OBJECT)
@bank_api(*READERS)
def card(request: Any, version_id: uuid.UUID) -> Response:
    """What the version is for, made of and good for; its evaluation is this bank's own."""
    return Response(card_json(version_or_404(request, version_id)))


@extend_schema(
    operation_id="version_onnx", responses={(200, "application/onnx"): OpenApiTypes.BINARY}
)
@bank_api(Role.MODEL_OWNER, Role.BANK_ADMIN)
def onnx(request: Any, version_id: uuid.UUID) -> HttpResponse:
    """The model as ONNX: features in, logit and probability out."""
    return onnx_response(version_or_404(request, version_id), request.actor)


def card_json(version: ModelVersion) -> dict[str, Any]:
    figures = performance.figures_of(version)
    if figures is None:
        return {**card_of(version), "evaluation": None}
    said = dict(VersionEvidenceSerializer(Evidence(figures)).data)
    own = {name: value for name, value in said.pop("figures").items() if name != "version"}
    return {**card_of(version), "evaluation": {**own, **said}}


def onnx_response(version: ModelVersion, actor: Any) -> HttpResponse:
    response = HttpResponse(
        export_onnx(version=version, actor=actor), content_type="application/onnx"
    )
    name = f"model-{version.bank.slug}-v{version.number}.onnx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
