"""One filled database for a whole module; every request in it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings

from tests.isolation.asking import Asking
from tests.isolation.world import build

NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def asking(
    django_db_setup: None,
    django_db_blocker: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Asking]:
    folder = tmp_path_factory.mktemp("isolation")
    own = {"DATA_DIR": folder, "COORDINATOR_URL": NOBODY_THERE, "ALLOW_SMALL_KEYS": True}
    with django_db_blocker.unblock(), override_settings(**own), transaction.atomic():
        yield Asking(build(folder))
        transaction.set_rollback(True)
