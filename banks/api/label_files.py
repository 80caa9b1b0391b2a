"""Files of labels that come back, by API."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from banks import wake
from banks.models import ImportStatus, LabelFile
from banks.selectors import label_files as selectors
from banks.services import label_files as services
from banks.views.imports import IMPORTERS, READERS
from consortium.accounts.access import bank_api


class LabelFileSerializer(serializers.ModelSerializer[LabelFile]):
    class Meta:
        model = LabelFile
        fields: ClassVar = [
            "pk",
            "file_name",
            "status",
            "rows_read",
            "rows_said",
            "rows_already_said",
            "rows_changed",
            "rows_refused",
            "first_errors",
            "failure_code",
            "failure",
            "created_at",
            "finished_at",
        ]


class LabelUploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        help_text="CSV or Parquet: transaction_id, label, known_at, and kind if you like"
    )
    good_rows_only = serializers.BooleanField(default=False)


@extend_schema(operation_id="label_files_list", responses=LabelFileSerializer(many=True))
@bank_api(*READERS)
def listing(request: Any) -> Response:
    return Response(LabelFileSerializer(selectors.files(request.bank), many=True).data)


@extend_schema(
    operation_id="label_file_upload",
    request={"multipart/form-data": LabelUploadSerializer},
    responses={201: LabelFileSerializer},
)
@bank_api(*IMPORTERS, methods=["POST"])
@parser_classes([MultiPartParser])
def upload(request: Any) -> Response:
    """Late chargebacks and corrections; the same file again changes nothing."""
    given = LabelUploadSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    found = services.receive(bank=request.bank, actor=request.actor, **given.validated_data)
    if found.status == ImportStatus.WAITING:
        wake.for_labels(request.bank)
    return Response(LabelFileSerializer(found).data, status=201)


@extend_schema(operation_id="label_file_detail", responses=LabelFileSerializer)
@bank_api(*READERS)
def detail(request: Any, file_id: uuid.UUID) -> Response:
    return Response(LabelFileSerializer(_file_or_404(request, file_id)).data)


@extend_schema(operation_id="label_file_good_rows", request=None, responses=LabelFileSerializer)
@bank_api(*IMPORTERS, methods=["POST"])
def good_rows(request: Any, file_id: uuid.UUID) -> Response:
    """Read a refused file once more and leave its bad rows out."""
    _file_or_404(request, file_id)
    found = services.take_good_rows(bank=request.bank, file_id=file_id, actor=request.actor)
    wake.for_labels(request.bank)
    return Response(LabelFileSerializer(found).data)


def _file_or_404(request: Any, file_id: uuid.UUID) -> LabelFile:
    found = LabelFile.objects.filter(bank=request.bank, pk=file_id).first()
    if found is None:
        raise Http404
    return found
