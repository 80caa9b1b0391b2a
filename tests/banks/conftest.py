from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from tests import make


@pytest.fixture(autouse=True)
def _own_data_folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def bank(db: None) -> Bank:
    return make.bank("sakura")


@pytest.fixture
def other_bank(db: None) -> Bank:
    return make.bank("fuji")


@pytest.fixture
def owner(db: None) -> Actor:
    return make.actor("yui")


@pytest.fixture
def analyst(db: None) -> Actor:
    return make.actor("aiko")


@pytest.fixture
def lead(db: None) -> Actor:
    return make.actor("ren")
