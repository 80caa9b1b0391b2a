"""A whole consortium in one process: every call between bank and centre is real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from tests.rounds.consortium import Consortium


@pytest.fixture
def consortium(
    transactional_db: None, live_server: LiveServer, settings: LazySettings, tmp_path: Path
) -> Consortium:
    settings.DATA_DIR = tmp_path
    settings.COORDINATOR_URL = live_server.url
    settings.KEY_BITS = 512
    settings.ALLOW_SMALL_KEYS = True
    return Consortium()
