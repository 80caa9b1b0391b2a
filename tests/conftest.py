"""What every test may ask for: someone signed in, a program with a token."""

from __future__ import annotations

import os
from collections.abc import Callable

import hypothesis
import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from tests import make

# No test is timed; and where nobody watches, the same commit draws the same examples.
hypothesis.settings.register_profile("attended", deadline=None)
hypothesis.settings.register_profile("unattended", deadline=None, derandomize=True)
hypothesis.settings.load_profile("unattended" if os.environ.get("CI") else "attended")


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """Rate limits count in the cache; one test's attempts are not the next one's."""
    cache.clear()


@pytest.fixture(autouse=True)
def _no_shadow_models(settings: LazySettings) -> None:
    """Most tests train a version for its page; the leakage test has tests of its own."""
    settings.LEAKAGE_SHADOWS = 0


@pytest.fixture
def sign_in(db: None) -> Callable[[str], Client]:
    """`sign_in("aiko")`: a browser with that person of the cast signed in."""

    def signed_in(who: str) -> Client:
        client = Client()
        client.force_login(make.person(who))
        return client

    return signed_in


@pytest.fixture
def program(db: None) -> Callable[..., APIClient]:
    """`program("aiko", "read", "write")`: an API client with a token of those scopes."""

    def with_token(who: str, *scopes: str) -> APIClient:
        _, secret = make.token(who, scopes or ("read",))
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return with_token
