"""The only place that answers 401, 403 and 404: who may enter which page and which API.

A stranger to a bank gets the same 404 as for a bank that does not exist; a member without the
role gets 403, and so does an auditor who would change something. Inside, ``request.bank`` and
``request.actor`` are set and row-level security shows that bank's rows only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from consortium.parsing import holds_nul
from consortium.protocol.errors import Refused, gettext_noop

from .actors import Actor
from .models import BANK_ROLES, CENTRE_ROLES, ApiToken, Bank, Membership, Role, User
from .tenancy import bank_scope

SAFE = {"GET", "HEAD", "OPTIONS"}
View = Callable[..., HttpResponse]


class BankRequest(HttpRequest):
    """A request inside one bank's world."""

    user: User
    bank: Bank
    membership: Membership
    actor: Actor


class CentreRequest(HttpRequest):
    """A request at the centre."""

    user: User
    membership: Membership
    actor: Actor


def memberships_of(request: Any) -> list[Membership]:
    """All places of the person who asks; read once a request."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return []
    if not hasattr(request, "memberships"):
        own = Membership.objects.select_related("bank").filter(user=user)
        request.memberships = list(own.order_by("pk"))
        for membership in request.memberships:
            membership.user = user
    return cast(list[Membership], request.memberships)


def membership_for(request: Any, slug: str | None) -> Membership:
    """The person's place in a bank (or at the centre for None); Http404 where there is none."""
    for membership in memberships_of(request):
        if (membership.bank.slug if membership.bank else None) == (slug or None):
            return membership
    raise Http404


def _enter(request: Any, slug: str | None, roles: Collection[Role]) -> Membership:
    membership = _place_of(request, slug)
    reads_only = membership.role == Role.AUDITOR and request.method not in SAFE
    if membership.role not in roles or reads_only:
        raise PermissionDenied
    request.membership = membership
    request.bank = membership.bank
    request.actor = Actor(
        label=str(membership.user), user=membership.user, bank=membership.bank, role=membership.role
    )
    return membership


def _place_of(request: Any, slug: str | None) -> Membership:
    """A program's place is its token's and no other; a person's, whichever they ask for."""
    token = getattr(request, "auth", None)
    if not isinstance(token, ApiToken):
        return membership_for(request, slug)
    if token.place is None or (token.bank.slug if token.bank else None) != slug:
        raise Http404
    return token.place


def _open_to(view: View, roles: Iterable[Role]) -> View:
    """Say on the view who may enter: the rail shows a page to those only."""
    view.roles = tuple(roles)  # type: ignore[attr-defined]
    return view


def bank_page(*roles: Role) -> Callable[[View], View]:
    """A page under /bank/<slug>/ for these roles (all of a bank's roles where none is named)."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def entered(request: HttpRequest, bank: str, *args: Any, **kwargs: Any) -> HttpResponse:
            membership = _enter(request, bank, roles or BANK_ROLES)
            with bank_scope(cast(Bank, membership.bank).pk):
                answer = view(request, *args, **kwargs)
                _tell_watchers(request, answer.status_code)
            return answer

        return _open_to(entered, roles or BANK_ROLES)

    return decorate


WATCHERS: list[Callable[[Any, int], None]] = []
"""What a world does after each answer to its people, in the same transaction: its access log."""


def _tell_watchers(request: Any, status_code: int) -> None:
    for watcher in WATCHERS:
        watcher(request, status_code)


def centre_page(*roles: Role) -> Callable[[View], View]:
    """A page of the centre for these roles (operator and auditor where none is named)."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            _enter(request, None, roles or CENTRE_ROLES)
            return view(request, *args, **kwargs)

        return _open_to(entered, roles or CENTRE_ROLES)

    return decorate


def bank_api(
    *roles: Role, methods: Iterable[str] = ("GET",), scope: str | None = None
) -> Callable[[View], View]:
    """An API call under /api/v1/banks/<slug>/; tokens need ``scope`` (by default read or write)."""

    def decorate(view: View) -> View:
        @api_view(list(methods))
        @wraps(view)
        def entered(request: Any, bank: str, *args: Any, **kwargs: Any) -> Response:
            _require_scope(request, scope)
            membership = _enter(request, bank, roles or BANK_ROLES)
            with bank_scope(cast(Bank, membership.bank).pk):
                answer = cast(Response, view(request, *args, **kwargs))
                _tell_watchers(request, answer.status_code)
            return answer

        return _open_to(entered, roles or BANK_ROLES)

    return decorate


def centre_api(
    *roles: Role, methods: Iterable[str] = ("GET",), scope: str | None = None
) -> Callable[[View], View]:
    """An API call of the centre under /api/v1/centre/."""

    def decorate(view: View) -> View:
        @api_view(list(methods))
        @wraps(view)
        def entered(request: Any, *args: Any, **kwargs: Any) -> Response:
            _require_scope(request, scope)
            _enter(request, None, roles or CENTRE_ROLES)
            return cast(Response, view(request, *args, **kwargs))

        return _open_to(entered, roles or CENTRE_ROLES)

    return decorate


def person_api(methods: Iterable[str] = ("GET",)) -> Callable[[View], View]:
    """An API call about oneself, wherever one works."""

    def decorate(view: View) -> View:
        @api_view(list(methods))
        @wraps(view)
        def entered(request: Any, *args: Any, **kwargs: Any) -> Response:
            _require_scope(request, None)
            return cast(Response, view(request, *args, **kwargs))

        return entered

    return decorate


def _require_scope(request: Any, scope: str | None) -> None:
    if not getattr(request.user, "is_authenticated", False):
        raise NotAuthenticated
    token = request.auth
    if not isinstance(token, ApiToken):
        return
    needed = scope or ("read" if request.method in SAFE else "write")
    if needed not in token.scopes:
        raise PermissionDenied


def translated(refused: Refused) -> str:
    """The refusal's sentence in the reader's language."""
    sentence = gettext(refused.sentence)
    return sentence % refused.params if refused.params else sentence


class RefusalMiddleware:
    """A refusal that a view did not show at its field becomes a page that says it (422)."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        """Before any view: a NUL, which no column takes, is refused once for all of them."""
        if not holds_nul(request):
            return None
        refused = Refused("nul_character", gettext_noop("A text must not hold a NUL character."))
        if request.path.startswith("/api/"):
            return JsonResponse(
                {"code": refused.code, "message": translated(refused), "fields": {}},
                status=status.HTTP_422_UNPROCESSABLE_ENTITY,
            )
        return self.process_exception(request, refused)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        refused = refusal_of(error)
        if refused is None:
            return None
        return render(
            request,
            "refused.html",
            {"sentence": translated(refused), "code": refused.code},
            status=getattr(refused, "http_status", status.HTTP_422_UNPROCESSABLE_ENTITY),
        )


def refusal_of(error: Exception) -> Refused | None:
    """The refusal that an error is, or that it names as what to tell whoever asked."""
    told = error if isinstance(error, Refused) else getattr(error, "refusal", None)
    return told if isinstance(told, Refused) else None


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """One shape for every error of the API: code, message, fields."""
    if (refused := refusal_of(error)) is not None:
        said = translated(refused)
        return Response(
            {
                "code": refused.code,
                "message": said,
                "fields": {refused.field: [said]} if refused.field else {},
            },
            status=getattr(refused, "http_status", status.HTTP_422_UNPROCESSABLE_ENTITY),
        )
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = response.data.get("detail") if isinstance(response.data, dict) else None
    if detail is not None:
        response.data = {
            "code": getattr(detail, "code", "error"),
            "message": str(detail),
            "fields": {},
        }
    else:
        response.data = {
            "code": "invalid",
            "message": gettext("Some fields need attention."),
            "fields": response.data,
        }
    return response
