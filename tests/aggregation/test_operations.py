"""The operator's console: what is wrong now, whom rounds wait for, and more time for a round."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import redis
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone

from aggregation.models import NodeContact, Round
from aggregation.selectors.operations import operations
from consortium import pulse
from consortium.accounts.models import AuditEntry, Bank
from consortium.celery import the_metronome_lives
from tests.aggregation.conftest import joined, the_deadline_passes
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db
CENTRE = "/api/v1/centre/"
CONSOLE = reverse("aggregation:operations")


@pytest.fixture(autouse=True)
def _nobody_was_heard_of():
    broker = redis.Redis.from_url(django_settings.REDIS_URL)
    for name in [*broker.scan_iter(match=pulse.PREFIX + "*"), "coordinator"]:
        broker.delete(name)


def heard_of(name, queues=(), *, ago=timedelta()):
    """As if somebody had given a sign of life that long ago."""
    pulse.note(name, queues)
    if ago:
        broker = redis.Redis.from_url(django_settings.REDIS_URL)
        said = json.loads(broker.get(pulse.PREFIX + name))
        said["at"] = (timezone.now() - ago).isoformat()
        broker.set(pulse.PREFIX + name, json.dumps(said))


def codes():
    return [alarm.code for alarm in operations().alarms]


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_silent_workers_and_a_silent_metronome_are_named():
    assert codes() == ["queue_unserved", "metronome_silent"]
    heard_of("one@host", ["coordinator"], ago=timedelta(minutes=5))
    heard_of("bank@host", ["sakura.train"])
    assert codes() == ["queue_unserved", "metronome_silent"]
    heard_of("two@host", ["coordinator"])
    the_metronome_lives(sender="somebody.else")
    assert codes() == ["metronome_silent"]
    the_metronome_lives(sender="aggregation.tasks.keep_time")
    assert codes() == []


def test_a_long_queue_is_named_and_counted(sign_in):
    heard_of("one@host", ["coordinator"])
    heard_of(pulse.METRONOME)
    broker = redis.Redis.from_url(django_settings.REDIS_URL)
    broker.rpush("coordinator", *["x"] * 101)
    assert codes() == ["queue_long"]
    assert "101 messages wait in the queue coordinator" in text_of(sign_in("mio").get(CONSOLE))
    broker.delete("coordinator")


def test_without_a_broker_the_console_says_so_and_shows_the_rest(sign_in, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert codes() == ["broker_away"]
    said = text_of(sign_in("mio").get(CONSOLE))
    assert "Not known: the broker does not answer." in said
    assert "free of" in said


def test_a_node_says_its_version_and_a_silent_bank_raises_an_alarm(sign_in, settings):
    node, other = joined("Kaede Bank"), joined("Momiji Bank")
    node.get(f"next?version={settings.VERSION}")
    other.get("next?version=0.0.9")
    assert NodeContact.objects.get(bank=node.bank).version == settings.VERSION
    heard_of("one@host", ["coordinator"])
    heard_of(pulse.METRONOME)
    assert codes() == ["other_version"]
    NodeContact.objects.filter(bank=node.bank).update(seen_at=timezone.now() - timedelta(hours=1))
    assert codes() == ["banks_silent", "other_version"]
    page = text_of(sign_in("jun").get(CONSOLE))
    assert "1 bank is silent: Kaede Bank." in page
    Bank.objects.filter(pk=node.bank).update(status=Bank.Status.SUSPENDED)
    assert codes() == ["other_version"]


@pytest.mark.parametrize("said", ["<script>", "x" * 200, "", "１.0", "0.1 beta"])
def test_a_strange_version_is_not_kept(said):
    node = joined("Kaede Bank")
    node.get(f"next?{urlencode({'version': said})}")
    assert NodeContact.objects.get(bank=node.bank).version == ""


def test_the_console_says_whom_a_round_waits_for_and_since_when(sign_in, five):
    five.start()
    play(five.nodes[:4], only={"submit"})
    late = five.bank(five.nodes[4]).display_name
    Round.objects.update(opened_at=timezone.now() - timedelta(minutes=7))
    page = text_of(sign_in("mio").get(CONSOLE))
    assert f"waiting for encrypted uploads: {late}" in page
    assert "7 min ago" in page
    fragment = sign_in("mio").get(CONSOLE, headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<div id="operations-live"')


def test_an_extended_round_still_takes_the_late_bank(sign_in, five):
    run = five.start()
    play(five.nodes[:2], only={"submit"})
    before = five.round.deadline
    url = reverse("aggregation:extend", args=[run.pk, five.round.pk])
    operator = sign_in("mio")
    answer = operator.post(url, {"minutes": 90, "reason": "two nodes are being repaired"})
    assert answer.status_code == 302
    assert five.round.deadline - before == timedelta(minutes=90)
    entry = AuditEntry.objects.get(verb="round.extended")
    assert entry.facts == {"minutes": 90, "reason": "two nodes are being repaired"}
    play(five.nodes[2:], only={"submit"})
    assert five.round.state == Round.State.FROZEN
    again = operator.post(url, {"minutes": 90, "reason": "more"}, follow=True)
    assert "its list of banks is closed" in text_of(again)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"minutes": 0, "reason": "x"}, 400),
        ({"minutes": 60}, 400),
        ({"minutes": 60, "reason": " "}, 400),
        ({"minutes": 10**6, "reason": "x"}, 400),
        ({"minutes": 60, "reason": "x"}, 200),
    ],
)
def test_a_program_extends_with_a_reason(program, three, given, status):
    three.start()
    path = f"{CENTRE}rounds/{three.round.pk}/extend"
    answer = program("mio", "write").post(path, given, format="json")
    assert answer.status_code == status, answer.content


def test_a_month_is_the_longest_a_round_waits(program, three):
    three.start()
    Round.objects.update(opened_at=timezone.now() - timedelta(days=29))
    path = f"{CENTRE}rounds/{three.round.pk}/extend"
    given = {"minutes": 7 * 24 * 60, "reason": "x"}
    answer = program("mio", "write").post(path, given, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "round_too_long")


def test_the_console_by_api_names_no_count_of_a_bank(program, five):
    five.start()
    the_deadline_passes(five.round)
    found = program("jun", "read").get(CENTRE + "operations").json()
    assert set(found["nodes"][0]) == {"bank", "seen_at", "version", "silent"}
    assert set(found["going"][0]) == {"run", "awaited"}
    assert found["programs"][0] == {"name": "Consortium", "version": django_settings.VERSION}
