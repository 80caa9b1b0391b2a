"""What newcomers ask for and fellow members give, through the centre, which opens none of it."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from aggregation.api.reading import binary, signed_in
from aggregation.authentication import body_of, node_api
from aggregation.selectors import gifts as selectors
from aggregation.services import gifts
from consortium.accounts.models import Bank
from consortium.protocol.gifts import LARGEST_BOX


@node_api()
def offer(request: Request, run: uuid.UUID, bank: Bank) -> Response:
    return Response(selectors.offer(bank, run))


@node_api("GET", "POST")
def requests(request: Request, bank: Bank) -> Response:
    """Those that wait for this bank; or its own, made now."""
    if request.method == "GET":
        return Response([row.request for row in selectors.asked_of(bank)])
    row = gifts.ask(bank=bank, signed=signed_in(request))
    return Response({"request": row.request_hash}, status=201)


@node_api("GET", "POST")
def gift(request: Request, digest: str, bank: Bank) -> HttpResponse:
    """The answer to this bank's request; or this bank's answer to another's."""
    if request.method == "GET":
        return binary(selectors.answer(bank, digest))
    body = body_of(request._request, LARGEST_BOX + gifts.FRAME_ALLOWANCE)
    return Response(gifts.give(bank=bank, request_hash=digest, body=body), status=201)


@node_api("POST")
def verdict(request: Request, digest: str, bank: Bank) -> Response:
    row = gifts.judge(bank=bank, request_hash=digest, signed=signed_in(request))
    return Response({"accepted": row.accepted}, status=201)
