from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Role
from tests.banks import world


@pytest.fixture(autouse=True)
def _own_data_folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def bank(db: None) -> Bank:
    return world.a_bank()


@pytest.fixture
def other_bank(db: None) -> Bank:
    return world.a_bank("fuji")


@pytest.fixture
def owner(bank: Bank) -> Actor:
    return world.an_actor(
        world.a_person(bank, Role.MODEL_OWNER, "Mio"), bank, role=Role.MODEL_OWNER
    )


@pytest.fixture
def analyst(bank: Bank) -> Actor:
    return world.an_actor(world.a_person(bank, Role.ANALYST, "Aiko"), bank)


@pytest.fixture
def lead(bank: Bank) -> Actor:
    return world.an_actor(world.a_person(bank, Role.LEAD, "Ren"), bank, role=Role.LEAD)
