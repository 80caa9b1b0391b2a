"""The days of a signal: with how many banks counterparties deal is never a subtraction away."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.utils import timezone

from aggregation.models import Round, TrainingRun
from aggregation.services import runs, schedules, terms, windows
from tests.aggregation.conftest import OPERATOR, Consortium, founded, with_key
from tests.aggregation.nodes import play

MARCH = "2026-03-01/2026-04-01"


@pytest.fixture
def signalling(db, monkeypatch) -> Consortium:
    """Five banks whose first sum, over March, was frozen with all of them."""
    monkeypatch.setattr(terms, "require_accepted", lambda *_: None)
    recipe = {"signal": {"zone": "UTC", "history_days": 31}}
    five = with_key(founded(5, purpose="risk-signal", recipe=recipe))
    _sum(five, MARCH, banks=5)
    return five


def _sum(consortium: Consortium, window: str, *, banks: int) -> Round:
    """The first round of a run over ``window``, as so many banks leave it; if frozen, done."""
    run = consortium.start(window=window)
    play(consortium.nodes[:banks], only={"submit"})
    Round.objects.filter(run=run).update(deadline=timezone.now())
    schedules.advance(now=timezone.now())
    round_ = run.rounds.get()
    if round_.frozen_at:
        over = {"state": "abandoned", "phase": "over", "reason": "drill"}
        Round.objects.filter(pk=round_.pk).update(**over)
        done = {"state": TrainingRun.State.DONE, "finished_at": timezone.now()}
        TrainingRun.objects.filter(pk=run.pk).update(**done)
    return round_


def _next_window(consortium: Consortium, monkeypatch, day: int) -> str:
    now = datetime(2026, 4, day, 3, tzinfo=UTC)
    with monkeypatch.context() as patch:
        patch.setattr(windows, "timezone", SimpleNamespace(now=lambda: now))
        return windows.next_window(consortium.task)


def test_with_a_bank_fewer_the_next_run_counts_presence_anew(signalling, monkeypatch):
    assert _next_window(signalling, monkeypatch, 2) == "2026-04-01/2026-04-02"
    fewer = _sum(signalling, "2026-04-01/2026-04-02", banks=4)
    assert (fewer.frozen_at, fewer.reason) == (None, windows.OTHER_BANKS)
    assert TrainingRun.objects.get(pk=fewer.run_id).state == TrainingRun.State.FAILED

    anew = _next_window(signalling, monkeypatch, 3)
    assert anew == "2026-04-01/2026-04-03/2026-04-01"
    assert _sum(signalling, anew, banks=4).frozen_at, "no day counts in both"
    following = _next_window(signalling, monkeypatch, 4)
    assert following == "2026-04-03/2026-04-04/2026-04-01"
    assert _sum(signalling, following, banks=4).frozen_at
    back = _sum(signalling, "2026-04-04/2026-04-05/2026-04-01", banks=5)
    assert back.reason == windows.OTHER_BANKS, "a bank more is a difference, too"


def test_with_the_same_banks_the_look_back_stays_whole(signalling, monkeypatch):
    assert _sum(signalling, "2026-04-01/2026-04-02", banks=5).frozen_at
    assert _next_window(signalling, monkeypatch, 3) == "2026-04-02/2026-04-03"


def test_after_thirty_days_nothing_overlaps(signalling, monkeypatch):
    assert _sum(signalling, "2026-05-01/2026-05-02", banks=4).frozen_at


def test_what_was_frozen_and_not_opened_is_summed_over_the_same_days(signalling, monkeypatch):
    run = signalling.start(window="2026-04-01/2026-04-02")
    play(signalling.nodes, only={"submit"})
    assert run.rounds.get().frozen_at
    runs.stop_run(actor=OPERATOR, run=run)
    assert _next_window(signalling, monkeypatch, 3) == "2026-04-01/2026-04-02"
