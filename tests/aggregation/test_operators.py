"""What operators' programs can do, and nobody else's."""

from __future__ import annotations

import pytest

from aggregation.models import TrainingRun
from aggregation.services.comparing import compare_keys, number_of
from consortium.accounts.models import Bank
from tests.aggregation.conftest import joined
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db
CENTRE = "/api/v1/centre/"


@pytest.fixture
def operator(program):
    return program("mio", "read", "write")


def test_an_operator_invites_a_bank_and_sees_the_link_once(operator):
    made = operator.post(CENTRE + "banks/invite", {"name": "North Bank"}, format="json")
    assert made.status_code == 201
    assert made.json()["invitation"].startswith(made.json()["bank"]["id"])
    listed = operator.get(CENTRE + "banks").json()
    assert [bank["slug"] for bank in listed] == ["north-bank"]
    assert "invitation" not in str(listed)
    again = operator.post(CENTRE + "banks/invite", {"name": "North Bank"}, format="json")
    assert (again.status_code, list(again.json()["fields"])) == (422, ["slug"])
    renewed = operator.post(CENTRE + "banks/north-bank/invitation")
    assert renewed.json()["invitation"] != made.json()["invitation"]


def test_an_operator_suspends_and_reinstates(operator):
    node = joined("North Bank")
    path = CENTRE + "banks/north-bank/"
    missing = operator.post(path + "suspend", {}, format="json")
    assert missing.status_code in {400, 422}
    assert Bank.objects.get(pk=node.bank).status == Bank.Status.JOINED
    given = {"reason": "drill"}
    suspended = operator.post(path + "suspend", given, format="json")
    assert suspended.json()["status"] == "suspended"
    assert operator.post(path + "suspend", given, format="json").status_code == 409
    assert operator.post(path + "reinstate", given, format="json").json()["status"] == "active"


def test_an_operator_runs_a_task_and_reads_what_was_published(operator, three):
    task = f"{CENTRE}tasks/{three.task.pk}/"
    schedule = {"cron": "0 3 * * *", "zone": "Asia/Tokyo", "enabled": True}
    assert operator.post(task + "schedule", schedule, format="json").json()["enabled"]
    started = operator.post(task + "runs", {"window": "2026-W01"}, format="json")
    assert started.status_code == 201
    assert operator.post(task + "runs", {}, format="json").status_code == 409
    play(three.nodes)
    run = operator.get(f"{CENTRE}runs/{started.json()['id']}").json()
    assert (run["state"], run["version"]["state"]) == ("done", "published")
    assert [r["state"] for r in run["rounds"]] == ["opened"] * 4
    (published,) = operator.get(task + "published-sums").json()
    assert published["values"] == [3] * 10
    assert published["banks"] == 3


def test_an_operator_gives_up_a_round_and_stops_a_run(operator, three):
    run = three.start()
    given = {"reason": "drill"}
    answer = operator.post(f"{CENTRE}rounds/{three.round.pk}/give-up", given, format="json")
    assert answer.json()["state"] == "abandoned"
    assert three.round.attempt == 2
    assert operator.post(f"{CENTRE}runs/{run.pk}/stop").json()["state"] == "failed"
    assert operator.post(f"{CENTRE}runs/{run.pk}/stop").status_code == 409


def test_an_operator_proposes_a_roster(operator, second, three):
    newcomer = Bank.objects.get(pk=joined("North Bank").bank)
    compare_keys(actor=second, bank=newcomer, said=number_of(newcomer))
    slugs = list(Bank.objects.values_list("slug", flat=True))
    path = f"{CENTRE}tasks/{three.task.pk}/roster"
    made = operator.post(path, {"banks": slugs}, format="json")
    assert (made.status_code, made.json()["signatures_needed"]) == (201, 2)
    assert made.json()["signed"] == []
    assert operator.post(path, {"banks": ["nobody"]}, format="json").status_code == 400
    assert operator.post(path + "/withdraw").status_code == 204


def test_an_auditor_reads_and_changes_nothing(program, three):
    auditor = program("jun", "read", "write")
    assert auditor.get(CENTRE + "tasks").status_code == 200
    assert auditor.get(CENTRE + "runs").status_code == 200
    assert auditor.post(f"{CENTRE}tasks/{three.task.pk}/runs").status_code == 403
    assert not TrainingRun.objects.exists()


def test_a_bank_s_people_and_read_only_tokens_are_kept_out(program, three):
    assert program("haru", "read", "write").get(CENTRE + "tasks").status_code == 404
    assert program("mio", "read").post(f"{CENTRE}tasks/{three.task.pk}/runs").status_code == 403
    assert not TrainingRun.objects.exists()
