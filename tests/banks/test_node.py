"""What a bank's people see of their own node."""

from __future__ import annotations

import pytest
from django.urls import reverse

from consortium import pulse
from consortium.accounts.models import Bank

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def test_an_administrator_sees_this_bank_s_workers_and_no_other_s(sign_in, settings):
    pulse.note("bank-sakura@host", ["sakura.train", "sakura.protocol"])
    pulse.note("bank-fuji@host", ["fuji.train", "fuji.protocol"])
    page = sign_in("haru").get(reverse("banks:node", args=["sakura"])).content.decode()
    assert "bank-sakura@host" in page
    assert "fuji" not in page
    assert "has not been heard of" in page
    assert settings.VERSION in page


def test_the_demo_s_shared_database_is_not_shown_as_the_bank_s(program):
    found = program("haru", "read").get("/api/v1/banks/sakura/node").json()
    assert found["tables"] is None
    assert [queue["name"] for queue in found["queues"]] == ["sakura.train", "sakura.protocol"]


def test_analysts_have_no_business_with_the_node(sign_in):
    assert sign_in("aiko").get(reverse("banks:node", args=["sakura"])).status_code == 403
    assert Bank.objects.count() == 1
