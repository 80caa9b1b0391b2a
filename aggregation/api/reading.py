"""How bodies of nodes are read and bytes are answered."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse
from rest_framework.request import Request

from aggregation.authentication import body_of
from consortium.protocol.envelope import Signed, parse
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.wire import malformed

LARGEST_MESSAGE = 1024 * 1024


def message_in(request: Request) -> Mapping[str, object]:
    message = parse(body_of(request._request, LARGEST_MESSAGE))
    if not isinstance(message, dict):
        raise malformed("The message", "an object")
    return message


def signed_in(request: Request) -> Signed:
    return Signed.from_wire(message_in(request))


def hex_bytes(value: object, where: str) -> bytes:
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise malformed(where, "hex digits") from None


def number_in(request: Request, name: str, default: int | None = None) -> int:
    """A whole number of the address's query."""
    text = request.query_params.get(name, "" if default is None else str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ProtocolRefused(
            "malformed",
            gettext_noop("Give %(name)s as a whole number in the address."),
            field=name,
            name=name,
        )
    return int(text)


def binary(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/octet-stream")
