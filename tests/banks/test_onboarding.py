"""A bank's guided way in: what it shows at each point, and the walk to the coordinator."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone

from banks import keys
from banks.connection import walk
from banks.models import Import, ImportStatus, ModelVersion, ProtocolLease
from banks.selectors.joining import joining
from consortium.accounts.models import AuditEntry
from consortium.accounts.tenancy import bank_scope
from consortium.demo.simulator import simulate
from tests import make

pytestmark = pytest.mark.django_db
SAMPLE = Path(django_settings.BASE_DIR) / "static/samples/simulated-transactions.csv"
PAGE = "banks:onboarding"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def states(bank) -> dict[str, str]:
    with bank_scope(bank.pk):
        return {step.found.code: step.state for step in joining(bank).steps}


class Centre(BaseHTTPRequestHandler):
    """Something at the other end, as wrong as a test needs it."""

    health: ClassVar[dict] = {}
    date: ClassVar[str] = ""
    duties: ClassVar[dict | None] = None

    def do_GET(self) -> None:
        said = self.health if self.path == "/healthz" else self.duties
        body = json.dumps(said or {"code": "suspended", "message": "Suspended."}).encode()
        self.send_response_only(200 if said else 403)
        if self.date:
            self.send_header("Date", self.date)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        pass


@pytest.fixture
def centre(settings) -> Iterator[type[Centre]]:
    class Here(Centre):
        health: ClassVar = {"ok": True, "role": "coordinator", "version": settings.VERSION}
        duties: ClassVar = {"duties": [], "poll_after": 10, "now": 1}

    server = HTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.COORDINATOR_URL = f"http://127.0.0.1:{server.server_port}"
    yield Here
    server.shutdown()
    server.server_close()


def hops(bank) -> dict[str, str]:
    return {hop.code: hop.state for hop in walk(bank)}


def test_the_steps_follow_what_is_there():
    bank = make.bank()
    assert states(bank)["keys"] == "now"
    keys.make(bank.slug)
    found = states(bank)
    assert (found["keys"], found["line"], found["members"]) == ("done", "now", "next")
    with bank_scope(bank.pk):
        ProtocolLease.objects.create(bank=bank, last_contact_at=timezone.now())
    found = states(bank)
    assert (found["members"], found["data"], found["alone"]) == ("waiting", "now", "next")
    with bank_scope(bank.pk):
        duty = {"duty": "sign_roster", "task": None, "number": 1}
        ProtocolLease.objects.update(for_people=[duty])
    assert states(bank)["members"] == "now"
    with bank_scope(bank.pk):
        ProtocolLease.objects.update(for_people=[])
        Import.objects.create(bank=bank, file_name="f.csv", mapping={}, status=ImportStatus.DONE)
    assert (states(bank)["data"], states(bank)["alone"]) == ("done", "now")
    with bank_scope(bank.pk):
        ModelVersion.objects.create(
            bank=bank, number=1, origin="alone", family="mlp", artifact=b"", parameters=1
        )
    assert states(bank)["alone"] == "done"
    with bank_scope(bank.pk):
        ProtocolLease.objects.update(last_contact_at=timezone.now() - timedelta(hours=1))
    assert states(bank)["line"] == "now"


def test_every_hop_of_a_good_line_is_shown(centre, sign_in):
    bank = make.bank()
    keys.make(bank.slug)
    page = sign_in("haru").post(reverse("banks:test-connection", args=["sakura"]))
    text = page.content.decode()
    assert "It accepts this bank&#x27;s signature" in text
    assert "not tried" not in text
    assert states(bank)["line"] == "done"
    assert AuditEntry.objects.get(verb="connection.tested").facts == {"failed": ""}


def test_a_plain_line_is_noted_but_no_obstacle(centre):
    bank = make.bank()
    keys.make(bank.slug)
    assert hops(bank) == {
        "name": "ok",
        "port": "ok",
        "tls": "warning",
        "http": "ok",
        "clock": "ok",
        "version": "ok",
        "hello": "ok",
    }


@pytest.mark.parametrize(
    ("wrong", "hop", "says"),
    [
        ({"health": {"hello": "proxy"}}, "http", "not the coordinator"),
        ({"date": "Mon, 01 Jan 2024 00:00:00 GMT"}, "clock", "clock"),
        ({"health": {"ok": True, "role": "bank", "version": "0.1.0"}}, "version", "bank's node"),
        ({"health": {"ok": True, "role": "coordinator", "version": "9.0"}}, "version", "versions"),
        ({"duties": None}, "hello", "signature"),
    ],
)
def test_the_hop_that_fails_says_so_and_those_behind_it_are_not_tried(centre, wrong, hop, says):
    bank = make.bank()
    keys.make(bank.slug)
    for name, value in wrong.items():
        setattr(centre, name, value)
    walked = walk(bank)
    place = [one.code for one in walked].index(hop)
    assert walked[place].state == "failed"
    assert says in str(walked[place].sentence)
    assert walked[place].advice
    assert {one.state for one in walked[place + 1 :]} <= {"skipped"}


@pytest.mark.parametrize(
    ("url", "hop"),
    [
        ("http://no-such-name.invalid", "name"),
        ("http://127.0.0.1:9", "port"),
        ("", "name"),
    ],
)
def test_a_wrong_address_fails_at_its_hop(settings, url, hop):
    settings.COORDINATOR_URL = url
    assert hops(make.bank())[hop] == "failed"


def test_a_line_that_should_be_encrypted_and_is_not_fails_there(centre, settings):
    settings.COORDINATOR_URL = settings.COORDINATOR_URL.replace("http:", "https:")
    assert hops(make.bank())["tls"] == "failed"


def test_without_keys_the_hello_says_to_make_them(centre):
    last = walk(make.bank())[-1]
    assert (last.code, last.state) == ("hello", "failed")
    assert "Accept the invitation" in last.detail


def test_the_sample_file_is_what_the_simulator_makes(tmp_path):
    until = datetime(2026, 11, 1, tzinfo=ZoneInfo("Asia/Tokyo"))
    simulate("small", seed=7, until=until)["yuzu"].history.write_csv(tmp_path / "sample.csv")
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE.read_bytes()
    assert b"demo-" in SAMPLE.read_bytes().splitlines()[1]


def test_an_auditor_reads_the_steps_and_tests_nothing(sign_in, program):
    assert sign_in("sora").get(reverse(PAGE, args=["sakura"])).status_code == 200
    assert (
        sign_in("sora").post(reverse("banks:test-connection", args=["sakura"])).status_code == 403
    )
    steps = program("haru", "read").get("/api/v1/banks/sakura/joining").json()["steps"]
    assert steps[0]["code"] == "keys"
