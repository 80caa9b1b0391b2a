"""What the pages show and do is open to programs too."""

from __future__ import annotations

import pytest

from aggregation.models import Task
from banks.services.rounds.standard import standard_task
from consortium.accounts.models import AuditEntry
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db
CENTRE = "/api/v1/centre/"


def new_task(**changes):
    return {"name": "Payments", "definition": standard_task(hidden=(4,)), **changes}


def test_a_program_makes_a_task(program):
    answer = program("mio", "write").post(CENTRE + "tasks/make", new_task(), format="json")
    assert answer.status_code == 201, answer.content
    task = Task.objects.get()
    assert answer.json()["id"] == str(task.pk)
    assert task.model == standard_task(hidden=(4,))["model"]
    assert AuditEntry.objects.filter(verb="task.created", target=f"task:{task.pk}").exists()


@pytest.mark.parametrize(
    "definition", [{}, [], "x", None, {**standard_task(), "parameters": -1}, {"model": 1.5}]
)
def test_a_bad_definition_makes_nothing(program, definition):
    message = new_task(definition=definition)
    answer = program("mio", "write").post(CENTRE + "tasks/make", message, format="json")
    assert answer.status_code in {400, 422}
    assert answer.json()["fields"]["definition"]
    assert not Task.objects.exists()


def test_the_auditors_program_reads_and_makes_nothing(program, five):
    run = five.start(window="one")
    play(five.nodes[:4], only={"submit"})
    client = program("jun", "read", "write")
    assert client.post(CENTRE + "tasks/make", new_task(), format="json").status_code == 403
    task = client.get(f"{CENTRE}tasks/{five.task.pk}").json()
    assert len(task["active"]["members"]) == 5
    assert task["key"]["state"] == "active"
    standing = client.get(f"{CENTRE}runs/{run.pk}/standing").json()
    assert [bank["id"] for bank in standing["awaited"]["banks"]] == [five.nodes[4].bank]
    assert len(standing["rounds"][0]["log_indices"]) == 4


def test_curves_and_log_are_read_by_programs(program, three):
    three.start()
    play(three.nodes)
    client = program("jun", "read")
    (measured,) = client.get(CENTRE + "performance").json()
    assert (measured["banks"], len(measured["signers"])) == (3, 3)
    assert client.get(CENTRE + "log/verification").json()["holds"]
    assert client.get(CENTRE + "log?before=2").json()["entries"][0]["index"] == 1


@pytest.mark.parametrize(
    "path", ["performance", "log", "log/verification", "banks", "tasks", "runs"]
)
def test_a_banks_program_gets_404(program, path):
    assert program("haru", "read", "write").get(CENTRE + path).status_code == 404


def test_standard_task_prints_what_the_operator_pastes(capsys):
    import json

    from django.core.management import call_command

    from aggregation.services.tasks import read_definition

    call_command("standard_task", "--kind", "ready", "--extra", "V1", "V2", "--hidden", "8")
    printed = capsys.readouterr().out
    definition = read_definition(printed)
    assert definition.first_step["length"] == 3 * len(definition.model["features"])
    assert json.loads(printed)["recipe"]["plan"]["extra"] == ["V1", "V2"]
