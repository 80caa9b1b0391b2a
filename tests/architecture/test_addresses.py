"""No address without a guard: each names its roles, or stands in a short list with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from consortium.accounts.models import BANK_ROLES, CENTRE_ROLES

OPEN = {
    "": "sends everyone to their own place, after sign-in",
    "guide/": "public knowledge",
    "guide/measured/": "public knowledge",
    "language/": "a cookie",
    "appearance/": "a cookie",
    "profile/": "one's own",
    "profile/tokens/": "one's own",
    "profile/tokens/<uuid:token_id>/revoke/": "one's own",
    "notifications/": "one's own",
    "notifications/read/": "one's own",
    "notifications/kinds/": "one's own",
    "notifications/<uuid:notification_id>/": "one's own",
    "invitation/<str:token>/": "the link is the proof",
    "invitation/<str:token>/join/": "the link is the proof",
    "join/": "a bank's node before it has any people",
    "join/<str:invitation>/": "the link is the proof",
    "healthz": "says nothing but that it lives",
    "readyz": "says nothing but what is missing",
    "metrics": "has a token of its own",
    "api/schema/": "public knowledge",
    "api/docs/": "public knowledge",
    "api/v1/me": "one's own",
    "api/v1/tokens": "one's own",
    "api/v1/tokens/<uuid:token_id>": "one's own",
    "api/v1/notifications": "one's own",
    "api/v1/notifications/read": "one's own",
    "api/v1/notifications/kinds": "one's own",
    "api/v1/invitations/<str:token>/acceptance": "the link is the proof",
}
# allauth guards its own; nodes prove themselves by their signature (tests/aggregation).
ELSEWHERE = ("accounts/", "i18n/", "api/v1/coordinator/")


def addresses(resolver: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


WORLDS = ("bank/<slug:bank>/", "api/v1/banks/<slug:bank>/", "centre/", "api/v1/centre/")
ALL = dict(addresses(get_resolver()))
GUARDED = {
    route: view
    for route, view in ALL.items()
    if route not in OPEN and not route.startswith(ELSEWHERE)
}


@pytest.mark.parametrize("route", GUARDED)
def test_an_address_says_who_may_enter(route: str) -> None:
    roles = getattr(GUARDED[route], "roles", None)
    assert roles, f"{route} needs bank_page, centre_page, bank_api or centre_api"
    place = BANK_ROLES if "<slug:bank>" in route else CENTRE_ROLES
    assert set(roles) <= set(place), f"{route} names a role of another place"


def test_what_is_open_exists() -> None:
    assert set(OPEN) <= set(ALL)


def test_a_bank_s_and_the_centre_s_addresses_stay_apart() -> None:
    for route in GUARDED:
        assert route.startswith(WORLDS), route
