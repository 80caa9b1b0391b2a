"""Champion and challenger by API."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.api import serializers as wire
from banks.api.versions import version_or_404
from banks.selectors.shadow import agreement_of
from banks.services import shadow
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role


class SideSerializer(serializers.Serializer[Any]):
    alerts = serializers.IntegerField()
    labelled = serializers.IntegerField()
    frauds = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)


class ShadowAgreementSerializer(serializers.Serializer[Any]):
    """Transactions both versions scored, by which of them alerts."""

    rows = serializers.IntegerField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    share = serializers.FloatField(allow_null=True, help_text="how often both decide alike")
    both = SideSerializer()
    only_challenger = SideSerializer()
    only_champion = SideSerializer()
    neither = serializers.IntegerField()


@extend_schema(operation_id="version_agreement", responses=ShadowAgreementSerializer)
@bank_api()
def agreement(request: Any, version_id: uuid.UUID) -> Response:
    """Where a challenger agrees with the version that scores; 404 where it never scored along."""
    found = agreement_of(version_or_404(request, version_id))
    if found is None:
        raise Http404
    return Response(ShadowAgreementSerializer(found).data)


@extend_schema(operation_id="version_shadow", request=None, responses=wire.VersionSerializer)
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def start(request: Any, version_id: uuid.UUID) -> Response:
    """Let a version score along silently."""
    version_or_404(request, version_id)
    version = shadow.start_shadow(bank=request.bank, actor=request.actor, version_id=version_id)
    return Response(wire.VersionSerializer(version).data)


@extend_schema(operation_id="version_shadow_stop", request=None, responses={204: None})
@bank_api(Role.MODEL_OWNER, methods=["POST"])
def stop(request: Any) -> Response:
    shadow.stop_shadow(bank=request.bank, actor=request.actor)
    return Response(status=204)
