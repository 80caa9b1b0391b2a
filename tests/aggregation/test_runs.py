"""Whole runs, as five banks play them through the API."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection

from aggregation.models import (
    LogEntry,
    LogHead,
    ModelVersion,
    PublishedSum,
    Round,
    Submission,
    Task,
    TrainingRun,
)
from aggregation.services import submissions
from consortium.protocol import receipts
from consortium.protocol.spec import Step
from tests.aggregation.conftest import a_lease_passes
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db


def test_a_run_goes_from_statistics_to_a_published_model(five):
    for value, node in enumerate(five.nodes, start=1):
        node.value = value
    run = five.start()
    play(five.nodes)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.DONE
    rounds = list(run.rounds.all())
    assert [r.step for r in rounds] == ["statistics", "update", "update", "metrics"]
    assert {r.state for r in rounds} == {Round.State.OPENED}
    statistics, first, _second, metrics = rounds
    node = five.nodes[3]
    assert node.sums[str(statistics.pk)] == [15] * 6
    assert node.sums[str(first.pk)] == [15] * 9 + [1] * 5  # every bank once in the one-hot field
    assert run.version.state == ModelVersion.State.PUBLISHED
    assert run.version.sha256 == rounds[2].result
    assert PublishedSum.objects.get(round=metrics).values == [15] * 10
    assert PublishedSum.objects.count() == 1


def test_each_round_starts_from_what_the_banks_signed_before(three):
    run = three.start()
    play(three.nodes)
    manifests = [row.manifest["body"] for row in run.rounds.all()]
    results = [row.result for row in run.rounds.all()]
    assert [m["base_model"] for m in manifests[1:]] == results[:3]
    assert len({m["seed"] for m in manifests}) == 1


def test_the_next_published_model_retires_the_one_before(three):
    first = three.start(window="one")
    play(three.nodes)
    second = three.start(window="two")
    play(three.nodes)
    assert ModelVersion.objects.get(run=first).state == ModelVersion.State.RETIRED
    assert ModelVersion.objects.get(run=second).state == ModelVersion.State.PUBLISHED


def test_a_rejected_candidate_ends_the_run_without_metrics(three):
    for node in three.nodes[:2]:
        node.accepts = False
    run = three.start()
    play(three.nodes)
    run.refresh_from_db()
    assert (run.state, run.version.state) == ("done", "rejected")
    assert not run.rounds.filter(step="metrics").exists()


def test_every_step_is_in_the_log_and_the_chain_holds(three):
    three.start()
    play(three.nodes)
    previous = None
    for row in LogEntry.objects.order_by("index"):
        entry = receipts.LogEntry.from_wire(row.body)
        receipts.check_entry(entry, previous)
        assert entry.hash() == row.hash
        previous = entry
    events = set(LogEntry.objects.values_list("event", flat=True))
    assert {"roster", "key", "manifest", "submission", "freeze", "opened", "model"} == events
    assert LogHead.objects.first().cosignatures.count() == 3


def test_uploads_are_forgotten_once_every_bank_has_its_result(five):
    five.start()
    play(five.nodes, only={"submit", "sign_freeze", "open"})
    first = Submission.objects.first().round
    for node in five.nodes[:4]:
        node.derive(str(first.pk))
    submissions.empty_bodies()
    assert all(row.body for row in Submission.objects.filter(round=first))
    five.nodes[4].derive(str(first.pk))
    submissions.empty_bodies()
    assert not any(row.body for row in Submission.objects.filter(round=first))
    assert all(row.hash and row.receipt for row in Submission.objects.filter(round=first))


def test_a_bank_that_was_away_derives_the_model_later(five):
    away = five.nodes[4]
    run = five.start()
    play(five.nodes[:4], only={"submit"})
    play([away], only={"submit"})
    play(five.nodes[:4], only={"sign_freeze", "open"})
    a_lease_passes(five.round)
    play(five.nodes[:4], only={"open", "derive"})
    assert run.rounds.get(number=0).state == Round.State.OPENED
    play([away], only={"derive"})
    assert away.sums[str(run.rounds.get(number=0).pk)] == [5] * 6


def test_no_table_of_the_centre_holds_a_number_of_one_bank(five):
    """A canary value that each bank encrypts is nowhere in the centre's rows, in any form."""
    canary = 1_234_567
    for node in five.nodes:
        node.vector = lambda manifest: np.full(
            manifest.length, canary if manifest.step == "statistics" else 0, dtype=np.int64
        )
    five.start()
    play(five.nodes, only={"submit", "sign_freeze", "open"})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_name LIKE 'aggregation_%'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")  # noqa: S608 - our own table names
            for (text,) in cursor.fetchall():
                assert str(canary) not in text
                assert f"{canary:x}" not in text.replace("\\x", "")


def test_banks_that_ask_for_different_next_steps_dispute_the_round(three):
    run = three.start()
    play(three.nodes, only={"submit", "sign_freeze", "open"})
    round_id = str(three.round.pk)
    asked = {"name": "update", "bits": 16, "remaining": 0}
    three.nodes[0].derive(round_id, next=Step(**asked, length=12))
    three.nodes[1].derive(round_id, next=Step(**asked, length=13))
    run.refresh_from_db()
    assert run.rounds.get().state == Round.State.DISPUTED
    assert run.state == TrainingRun.State.FAILED


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"most_rounds": 2}, "more sums than the task allows"),
        ({"most_values": 11}, "values in one"),
    ],
)
def test_banks_get_no_more_than_the_task_allows(three, limit, sentence):
    Task.objects.update(**limit)
    run = three.start()
    play(three.nodes)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.FAILED
    assert sentence in run.reason
    assert {r.state for r in run.rounds.all()} == {Round.State.OPENED}
