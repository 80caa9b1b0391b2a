"""One's own notifications by API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from . import inbox
from .access import person_api
from .models import Notification
from .services import notifications as services


class ToldSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="row.pk")
    at = serializers.DateTimeField(source="row.at")
    read_at = serializers.DateTimeField(source="row.read_at", allow_null=True)
    bank = serializers.CharField(
        source="row.bank.slug", default=None, help_text="null at the centre"
    )
    kind = serializers.CharField(source="row.kind")
    verb = serializers.CharField(source="row.verb")
    what = serializers.CharField()
    by = serializers.CharField()
    url = serializers.CharField()


class MarkedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(required=False, help_text="left out: all of them")


class KindsSerializer(serializers.Serializer[Any]):
    muted = serializers.ListField(
        child=serializers.ChoiceField(choices=Notification.Kind.choices),
        help_text="kinds that are not wanted",
    )


@extend_schema(operation_id="notifications", responses=ToldSerializer(many=True))
@person_api()
def listing(request: Any) -> Response:
    """The newest, read and unread."""
    return Response(ToldSerializer(inbox.page(request.user)[0], many=True).data)


@extend_schema(
    operation_id="notifications_read",
    request=MarkedSerializer,
    responses={200: {"type": "object", "properties": {"marked": {"type": "integer"}}}},
)
@person_api(methods=["POST"])
def read(request: Any) -> Response:
    """Mark one or all as read; says how many were unread."""
    given = MarkedSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    which = given.validated_data.get("id")
    return Response({"marked": services.mark_read(user=request.user, notification_id=which)})


@extend_schema(
    operation_id="notification_kinds", request=KindsSerializer, responses=KindsSerializer
)
@person_api(methods=["PUT"])
def kinds(request: Any) -> Response:
    """Which kinds one does not want to be told of."""
    given = KindsSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    services.set_muted(user=request.user, kinds=given.validated_data["muted"])
    return Response({"muted": request.user.muted})
