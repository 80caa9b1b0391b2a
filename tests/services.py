"""Starts PostgreSQL and Redis for the tests where DATABASE_URL names none, and keeps files apart.

A plugin (`-p tests.services`) and not a conftest: pytest-django reads the settings before any
conftest is loaded.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from consortium.embedded import Services

REDIS_DATABASES = 16
_open = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """What is named already comes from outside, or from the parent of this xdist worker."""
    if "CONSORTIUM_DATA_DIR" not in os.environ:
        os.environ["CONSORTIUM_DATA_DIR"] = str(_new_folder("consortium-test-files-"))
    if "DATABASE_URL" not in os.environ:
        services = Services(_new_folder("consortium-test-"), durable=False)
        os.environ.update(_open.enter_context(services))
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["CELERY_BROKER_URL"] = _own_database(os.environ["CELERY_BROKER_URL"], worker)


def _own_database(broker: str, worker: str) -> str:
    """The Redis database of one xdist worker: its tests empty it and count in it."""
    own = int(worker.removeprefix("gw")) + 1
    if broker.startswith("redis+socket:"):
        return f"{broker}?virtual_host={own}"
    address, _, number = broker.rpartition("/")
    return f"{address}/{(int(number) + own) % REDIS_DATABASES}"


def _new_folder(prefix: str) -> Path:
    folder = Path(_open.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
    folder.chmod(0o711)  # the services' own account passes through
    return folder


def pytest_unconfigure() -> None:
    _open.close()
