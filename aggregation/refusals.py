"""Refusals that a node's program tells apart by their HTTP status (422 where none is named)."""

from __future__ import annotations

from http import HTTPStatus

from consortium.protocol.errors import Refused, gettext_noop


class Unauthenticated(Refused):
    http_status = HTTPStatus.UNAUTHORIZED


class Suspended(Refused):
    http_status = HTTPStatus.FORBIDDEN


class NotHere(Refused):
    """Not there, or not this bank's: the two look the same."""

    http_status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("not_found", gettext_noop("There is nothing here for this bank."))


class Contradicts(Refused):
    """Another thing is recorded already."""

    http_status = HTTPStatus.CONFLICT


class TooLate(Refused):
    http_status = HTTPStatus.GONE


class TooLarge(Refused):
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
