"""No page and no call makes the web process load what trains: a bank's whole round of clicks."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests import make
from tests.architecture.test_imports import HEAVY

pytestmark = pytest.mark.django_db
CSV = b"id,time,account,counterparty,amount\nt1,2026-01-05T10:00:00Z,a1,c1,1200\n"
LOOKED = {
    **{f"role_{role}": role for role in ("id", "time", "account", "counterparty", "amount")},
    "kind": "behaviour",
    "zone": "UTC",
    "amount_digits": "0",
    "look": "",
}


@pytest.fixture
def _nothing_heavy(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, settings: Any) -> None:
    """As in a fresh web process: whoever imports one of them fails."""
    settings.DATA_DIR = tmp_path
    for name in [n for n in sys.modules if n.split(".")[0] in HEAVY]:
        monkeypatch.delitem(sys.modules, name)
    for name in HEAVY:
        monkeypatch.setitem(sys.modules, name, None)


def pages() -> list[str]:
    """A bank's pages that need nothing but the bank."""
    [banks] = [
        one for one in get_resolver().url_patterns if getattr(one, "app_name", "") == "banks"
    ]
    plain = [one for one in banks.url_patterns if isinstance(one, URLPattern)]
    return [f"/bank/sakura/{one.pattern}" for one in plain if "<" not in str(one.pattern)]


@pytest.mark.usefixtures("_nothing_heavy")
@pytest.mark.parametrize("who", ["aiko", "ren", "yui", "haru", "sora"])
def test_no_page_loads_it(who: str) -> None:
    browser = Client()
    browser.force_login(make.person(who))
    answers = {path: browser.get(path).status_code for path in pages()}
    assert answers
    assert set(answers.values()) <= {200, 302, 403, 405, 422}, answers


@pytest.mark.usefixtures("_nothing_heavy")
def test_looking_at_a_file_does_not_load_it() -> None:
    browser = Client()
    browser.force_login(make.person("yui"))
    file = SimpleUploadedFile("payments.csv", CSV)
    mapping = browser.post("/bank/sakura/data/upload/", {"file": file})["Location"]
    assert browser.get(mapping).status_code == 200
    looked = browser.post(f"{mapping}confirm/", LOOKED)
    assert looked.status_code == 200, looked.content.decode()
    assert looked.context["look"].rows_checked == 1
