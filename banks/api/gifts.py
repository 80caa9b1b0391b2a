"""What a newcomer received and what was given to newcomers, by API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from banks.api.membership import READERS
from banks.models import Gift
from banks.selectors import gifts as selectors
from banks.services.gifts import asking
from banks.services.rounds.node import Node
from consortium.accounts.access import bank_api
from consortium.accounts.models import Role


class GiftSerializer(serializers.ModelSerializer[Gift]):
    class Meta:
        model = Gift
        fields = (
            "id",
            "direction",
            "kind",
            "state",
            "task",
            "run",
            "subject",
            "peer",
            "peer_name",
            "attempt",
            "size",
            "version",
            "asked_at",
            "settled_at",
        )


class GiftRowSerializer(serializers.Serializer[Any]):
    gift = GiftSerializer()
    trouble = serializers.CharField(allow_blank=True)
    may_ask_again = serializers.BooleanField()


@extend_schema(operation_id="gifts", responses=GiftRowSerializer(many=True))
@bank_api(*READERS)
def listing(request: Any) -> Response:
    """From member to member, newest first."""
    return Response(GiftRowSerializer(selectors.listing(request.bank), many=True).data)


@extend_schema(operation_id="gift_ask_again", request=None, responses={204: None})
@bank_api(Role.BANK_ADMIN, methods=["POST"])
def ask_again(request: Any, gift_id: int) -> Response:
    """Ask all members once more for what none of them could give."""
    gift = selectors.get(request.bank, gift_id)
    if gift is None:
        raise Http404
    asking.ask_again(node=Node(request.bank), actor=request.actor, gift=gift)
    return Response(status=204)
