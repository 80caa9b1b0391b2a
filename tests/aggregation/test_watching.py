"""A run as one watches it: banks with states only, phases, how long still."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from aggregation.models import Round
from aggregation.selectors import watching
from aggregation.selectors.progress import run_progress
from tests.aggregation.conftest import the_deadline_passes
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db


def codes(run):
    found = run_progress(run.pk)
    watched = found.live or found.rounds[-1]
    return sorted(one.code for one in watching.participants(watched, found.members))


def states(round_):
    return [stage.state for stage in watching.stages(round_)]


def test_a_bank_is_awaited_then_done_and_late_after_the_deadline(five):
    run = five.start()
    play(five.nodes[:4], only={"submit"})
    assert codes(run) == ["awaited", "done", "done", "done", "done"]
    assert states(five.round) == ["now", "next", "next", "next"]
    the_deadline_passes(five.round)
    assert codes(run) == ["done", "done", "done", "done", "late"]
    assert watching.time_left(run_progress(run.pk).live) == timedelta()


def test_the_committee_is_awaited_and_the_others_stand_by(five):
    run = five.start()
    play(five.nodes, only={"submit", "sign_freeze"})
    assert states(five.round) == ["done", "done", "now", "next"]
    assert codes(run) == ["awaited", "awaited", "awaited", "silent", "silent"]


def test_what_is_over_says_who_was_in_the_sum(five):
    run = five.start()
    play(five.nodes)
    assert codes(run) == ["inside"] * 5
    assert states(five.round) == ["done"] * 4
    assert watching.remaining(run_progress(run.pk)) is None
    assert watching.curve_of_runs(five.task.pk)["series"][0]["values"]


def test_how_long_still_is_reckoned_from_the_rounds_before(five):
    first = five.start()
    assert watching.remaining(run_progress(first.pk)) is None
    play(five.nodes)
    second, now = five.start(window="two"), timezone.now()
    Round.objects.filter(run=first).update(
        opened_at=now - timedelta(seconds=100), finished_at=now - timedelta(seconds=90)
    )
    found = run_progress(second.pk)
    left = watching.remaining(found)
    assert left.earlier_run
    assert left.rounds == len(run_progress(first.pk).rounds)
    assert 10 * (found.planned - 1) <= left.seconds <= 10 * found.planned


def test_the_fragment_shows_phases_and_states_and_no_time_of_a_bank(sign_in, five):
    run = five.start()
    play(five.nodes[:4], only={"submit"})
    answer = sign_in("mio").get(
        reverse("aggregation:run-live", args=[run.pk]), headers={"HX-Request": "true"}
    )
    page = answer.content.decode()
    assert 'aria-current="step"' in page
    strip = page.partition('class="participants"')[2].partition("</ul>")[0]
    assert strip.count("encrypted update received") == 4
    assert strip.count("awaited") >= 1
    assert "JST" not in strip
    assert "datetime" not in strip
