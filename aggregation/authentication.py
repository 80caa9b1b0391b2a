"""Which bank is calling: every request of a node carries its bank's signature.

A bank that is suspended or removed is refused here, at once. A nonce serves one changing request;
a replayed reading request would only show the bank what it may read anyway, inside 300 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    parser_classes,
    permission_classes,
)
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from aggregation.models import NodeContact, SeenNonce
from aggregation.refusals import Contradicts, Suspended, TooLarge, Unauthenticated
from aggregation.services.enrolment import MEMBERS
from consortium.accounts.models import Bank
from consortium.protocol.envelope import RequestClaim, VerifyKey, verify_request
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop

View = Callable[..., HttpResponse]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CONTACT_INTERVAL = timedelta(seconds=5)


@dataclass(frozen=True)
class Node:
    """A bank's node as the requesting party (REST framework's ``request.user``)."""

    bank: Bank
    is_authenticated: bool = True


class NodeAuthentication(BaseAuthentication):
    """``Consortium-*`` headers, see ``consortium.protocol.envelope.sign_request``."""

    def authenticate(self, request: Request) -> tuple[Node, RequestClaim]:
        whole: HttpRequest = request._request
        try:
            claim = RequestClaim.from_headers(whole.headers)
            bank = _bank(claim)
            verify_request(
                claim,
                str(whole.method),
                whole.get_full_path(),
                body_of(whole),
                key=VerifyKey(bytes(bank.signing_key).hex()),
                now=int(time.time()),
            )
        except ProtocolRefused as refused:
            raise _as(Unauthenticated, refused) from None
        if bank.status not in MEMBERS:
            raise Suspended(
                "bank_suspended", gettext_noop("This bank is suspended; ask the operator.")
            )
        if whole.method not in SAFE_METHODS:
            _use_nonce(bank, claim.nonce)
        _note_contact(bank)
        return Node(bank), claim

    def authenticate_header(self, request: Request) -> str:
        return "Consortium"


def _bank(claim: RequestClaim) -> Bank:
    bank = Bank.objects.filter(pk=claim.bank).exclude(signing_key=b"").first()
    if bank is None:
        raise ProtocolRefused("unknown_bank", gettext_noop("No bank with this name has joined."))
    return bank


def body_of(request: HttpRequest, limit: int | None = None) -> bytes:
    """The request's body; refused by its announced length before it is read."""
    most = limit or settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = request.META.get("CONTENT_LENGTH") or "0"
    size = int(announced) if announced.isdigit() else 0
    if size > most:
        raise TooLarge(
            "too_large",
            gettext_noop("The body has %(size)s bytes; at most %(limit)s are taken."),
            size=size,
            limit=most,
        )
    return request.body


def _use_nonce(bank: Bank, nonce: str) -> None:
    try:
        with transaction.atomic():
            SeenNonce.objects.create(bank=bank, nonce=nonce)
    except IntegrityError:
        raise Unauthenticated(
            "replayed_request", gettext_noop("A request with this nonce was made before.")
        ) from None


def _note_contact(bank: Bank) -> None:
    now = timezone.now()
    stale = Q(seen_at__lt=now - CONTACT_INTERVAL)
    if not NodeContact.objects.filter(stale, bank=bank).update(seen_at=now):
        NodeContact.objects.get_or_create(bank=bank, defaults={"seen_at": now})


_BY_CODE: dict[str, type[Refused]] = {
    "too_large": TooLarge,
    "other_round": Contradicts,
    "second_list": Contradicts,
}
"""Refusals of the protocol that a program tells apart by their status."""


def node_api(*methods: str) -> Callable[[View], View]:
    """A call that only a member bank's node may make; the view gets the bank as ``bank``."""
    return _api(methods or ("GET",), [NodeAuthentication], [IsAuthenticated])


def open_api(*methods: str) -> Callable[[View], View]:
    """A call that needs no signature in its headers (joining: the body proves itself)."""
    return _api(methods, [], [])


def _api(
    methods: Iterable[str], authentication: list[Any], permission: list[Any]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @api_view(list(methods))
        @authentication_classes(authentication)
        @permission_classes(permission)
        @parser_classes([])
        @wraps(view)
        def entered(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if authentication:
                kwargs["bank"] = cast(Node, request.user).bank
            try:
                return view(request, *args, **kwargs)
            except ProtocolRefused as refused:
                if refused.code in _BY_CODE:
                    raise _as(_BY_CODE[refused.code], refused) from None
                raise

        # The wire is described where it is defined, not in the schema of people's programs.
        return cast(View, extend_schema(exclude=True)(entered))

    return decorate


def _as(kind: type[Refused], refused: Refused) -> Refused:
    """The same refusal with the HTTP status of ``kind``."""
    return kind(refused.code, refused.sentence, field=refused.field, **refused.params)
