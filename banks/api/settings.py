"""The bank's own settings by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.services.settings import change_settings
from banks.services.versions import settings_row
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role


@extend_schema(operation_id="settings_read", responses=wire.SettingsSerializer)
@bank_api()
def read(request: Any) -> Response:
    return Response(wire.SettingsSerializer(settings_row(request.bank)).data)


@extend_schema(
    operation_id="settings_change",
    request=wire.SettingsSerializer(partial=True),
    responses=wire.SettingsSerializer,
)
@bank_api(Role.BANK_ADMIN, Role.MODEL_OWNER, Role.LEAD, methods=["POST"])
def change(request: Any) -> Response:
    """Change the settings that are given; the others stay."""
    given = wire.SettingsSerializer(data=request.data, partial=True)
    given.is_valid(raise_exception=True)
    row = change_settings(bank=request.bank, actor=request.actor, **given.validated_data)
    return Response(wire.SettingsSerializer(row).data)
