"""Files by API: hand one in with its mapping, see what became of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from banks import wake
from banks.api import serializers as wire
from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus
from banks.services import imports
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)
IMPORTERS = (Role.MODEL_OWNER, Role.BANK_ADMIN)
SHOWN = 100


@extend_schema(operation_id="imports_list", responses=wire.ImportSerializer(many=True))
@bank_api(*READERS)
def listing(request: Any) -> Response:
    found = Import.objects.filter(bank=request.bank)[:SHOWN]
    return Response(wire.ImportSerializer(found, many=True).data)


@extend_schema(
    operation_id="import_upload",
    request={"multipart/form-data": wire.ImportRequestSerializer},
    responses={201: wire.ImportSerializer},
)
@bank_api(*IMPORTERS, methods=["POST"])
@parser_classes([MultiPartParser])
def upload(request: Any) -> Response:
    """CSV or Parquet with the mapping of its columns; the same file again changes nothing."""
    given = wire.ImportRequestSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    imported = imports.start_import(
        bank=request.bank,
        file=given.validated_data["file"],
        mapping=Mapping.from_json(given.validated_data["mapping"]),
        actor=request.actor,
        good_rows_only=given.validated_data["good_rows_only"],
    )
    if imported.status == ImportStatus.WAITING:
        wake.for_import(request.bank, imported.pk)
    return Response(wire.ImportSerializer(imported).data, status=201)


@extend_schema(operation_id="import_detail", responses=wire.ImportSerializer)
@bank_api(*READERS)
def detail(request: Any, import_id: uuid.UUID) -> Response:
    return Response(wire.ImportSerializer(import_or_404(request, import_id)).data)


@extend_schema(operation_id="import_good_rows", request=None, responses=wire.ImportSerializer)
@bank_api(*IMPORTERS, methods=["POST"])
def good_rows(request: Any, import_id: uuid.UUID) -> Response:
    """Read a refused file once more and leave its bad rows out."""
    import_or_404(request, import_id)
    imported = imports.import_good_rows(bank=request.bank, import_id=import_id, actor=request.actor)
    wake.for_import(request.bank, import_id)
    return Response(wire.ImportSerializer(imported).data)


@extend_schema(operation_id="import_discard", request=None, responses={204: None})
@bank_api(*IMPORTERS, methods=["POST"])
def discard(request: Any, import_id: uuid.UUID) -> Response:
    """Delete a file that was not imported."""
    import_or_404(request, import_id)
    imports.discard_import(bank=request.bank, import_id=import_id, actor=request.actor)
    return Response(status=204)


def import_or_404(request: Any, import_id: uuid.UUID) -> Import:
    found = Import.objects.filter(bank=request.bank, pk=import_id).first()
    if found is None:
        raise Http404
    return found
