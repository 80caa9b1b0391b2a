"""Banks add up their counterparties by real rounds; the centre is told nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from aggregation.models import Gift as CentreGift
from aggregation.models import ModelVersion as CentreVersion
from aggregation.models import PublishedSum, Round, SealedPartial, Task, TrainingRun
from aggregation.services import runs, schedules
from banks import keys
from banks.ml.features import FeaturePlan, Signal
from banks.ml.risk_signal import Span, Terms
from banks.models import Gift, ProtocolLease, RoundPart, SignalOpening, SignalPart
from banks.models import TrainingRun as BankRun
from banks.services import datasets
from banks.services.gifts import signals as given_signals
from banks.services.rounds import agreement
from banks.services.rounds.node import Node
from banks.services.signal import consent, joint
from banks.services.signal.standard import signal_task
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from consortium.protocol.gifts import GiftRequest
from tests.banks import signalling as signalling_banks
from tests.banks import world
from tests.rounds.consortium import OPERATOR, Consortium, admin, describe

TERMS = Terms(slots=128, cap=200, amount_unit=1)
PLAN = FeaturePlan(joint=True, amount_unit=1)
FIRST = world.START.date()
WINDOW = f"{FIRST}/{FIRST + timedelta(days=20)}"


@pytest.fixture
def signalling(consortium: Consortium) -> Consortium:
    """Three banks that agreed on a task for the signal; nobody has accepted its terms yet."""
    for seed, slug in enumerate(["ume", "kiku", "ran"]):
        consortium.join(slug, seed, rows=700)
    consortium.task = Task.objects.create(name="Signal", **signal_task(TERMS))
    consortium.sign_roster()
    return consortium


def accept(consortium: Consortium) -> None:
    for bank in consortium.banks:
        consent.decide(
            node=Node(bank),
            actor=admin(bank),
            task=str(consortium.task.pk),  # type: ignore[union-attr]
            terms=TERMS,
            accept=True,
        )


def start(consortium: Consortium, window: str = WINDOW) -> TrainingRun:
    assert consortium.task is not None
    return runs.start_run(actor=OPERATOR, task=consortium.task, window=window)


def test_every_bank_is_told_the_joint_view_and_the_centre_nothing(signalling: Consortium) -> None:
    accept(signalling)
    run = start(signalling)
    signalling.until(run)
    assert run.state == TrainingRun.State.DONE, describe(run)
    assert not CentreVersion.objects.exists()
    assert not PublishedSum.objects.exists()
    frames = [datasets.frame(bank) for bank in signalling.banks]
    span = Span.from_text(WINDOW, TERMS)
    with bank_scope(signalling.banks[0].pk):
        key = keys.token_key(signalling.banks[0].slug, SignalOpening.objects.get().token_key)
    expected = signalling_banks.opened_sums(frames, PLAN, TERMS, span, key=key)
    assert len(expected.cells) > 100
    for bank, frame in zip(signalling.banks, frames, strict=True):
        with bank_scope(bank.pk):
            opening = SignalOpening.objects.get()
            assert BankRun.objects.get().status == BankRun.Status.DONE
        assert bytes(opening.content) == expected.to_bytes()
        seen = joint.signal_for(bank, frame, PLAN)
        own = Signal.of_frame(frame, PLAN)
        assert seen.sums.volume["payments"].sum() > own.sums.volume["payments"].sum()


def test_a_day_is_never_summed_again(signalling: Consortium) -> None:
    accept(signalling)
    signalling.until(start(signalling))
    again = start(signalling, f"{FIRST + timedelta(days=10)}/{FIRST + timedelta(days=25)}")
    for bank in signalling.banks:
        signalling.step(bank)
    assert all("summed before" in trouble for trouble in signalling.troubles())
    runs.stop_run(actor=OPERATOR, run=again)
    with bank_scope(signalling.banks[0].pk):
        assert SignalPart.objects.filter(run=again.pk).count() == 0


def test_nothing_is_summed_before_enough_banks_accept(signalling: Consortium) -> None:
    with pytest.raises(Refused, match="accepted the terms"):
        start(signalling)


def test_a_day_that_is_not_over_is_not_summed(signalling: Consortium) -> None:
    accept(signalling)
    today = datetime.now(UTC).date()
    start(signalling, f"{today - timedelta(days=2)}/{today + timedelta(days=1)}")
    signalling.step(signalling.banks[0])
    with bank_scope(signalling.banks[0].pk):
        assert "is not over" in ProtocolLease.objects.get().last_error


def test_a_newcomer_is_told_the_opened_past_once_it_has_accepted_the_terms(
    signalling: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(signalling)
    run = start(signalling)
    signalling.until(run)
    members = list(signalling.banks)
    newcomer = signalling.join("sugi", 3, rows=700)
    signalling.admit(newcomer)
    signalling.step(newcomer)
    assert not CentreGift.objects.exists(), "who takes no part asks for nothing"
    _a_peer_refuses_who_may_not_know(signalling, run, newcomer, members[1])

    accept(signalling)
    signalling.step(newcomer)
    liar = CentreGift.objects.get().giver
    with monkeypatch.context() as patch:
        really = given_signals.held
        patch.setattr(given_signals, "held", lambda *asked: (*really(*asked)[:2], b"k" * 32))
        signalling.step(liar)
    signalling.step(newcomer)
    with bank_scope(newcomer.pk):
        assert Gift.objects.get(peer=liar.pk).fault["code"] == "wrong_gift"
        assert not SignalOpening.objects.exists(), "counterparties under another key are no past"
    peer = CentreGift.objects.get(accepted=None).giver
    signalling.step(peer)
    with bank_scope(peer.pk):
        told = SignalOpening.objects.get()
    assert bytes(told.content)[:64] not in bytes(CentreGift.objects.exclude(box=b"").get().box)
    signalling.step(newcomer)
    with bank_scope(newcomer.pk):
        opening = SignalOpening.objects.get()
        assert Gift.objects.get(state="installed").kind == "signal"
    for name in ("content", "first_day", "end_day", "token_key", "terms", "banks", "cells"):
        assert getattr(opening, name) == getattr(told, name), name
    assert opening.source == SignalOpening.Source.PEER
    frame = datasets.frame(newcomer)
    seen, own = joint.signal_for(newcomer, frame, PLAN), Signal.of_frame(frame, PLAN)
    assert seen.sums.volume["payments"].sum() > own.sums.volume["payments"].sum()


def _a_peer_refuses_who_may_not_know(
    signalling: Consortium, run: TrainingRun, newcomer: Bank, member: Bank
) -> None:
    """A newcomer that has not accepted the terms; a member that could have taken part itself."""
    peer = Node(signalling.banks[0])
    newest = agreement.newest_roster(peer, str(run.task_id))
    with bank_scope(peer.bank.pk):
        subject = SignalOpening.objects.get().content_sha256
    for asking, code in ((newcomer, "terms_not_accepted"), (member, "took_no_part")):
        request = GiftRequest(
            task=str(run.task_id),
            run=str(run.pk),
            subject=subject,
            bank=str(asking.pk),
            peer=peer.identity,
            roster=newest.hash(),
            attempt=1,
        )
        with pytest.raises(Refused) as refused:
            given_signals.held(peer, request, newest)
        assert refused.value.code == code


def test_a_bank_left_out_of_a_sum_is_told_nothing_of_it(consortium: Consortium) -> None:
    """It holds the group key and may sign the list; uploads and released shares are not for it."""
    for seed, slug in enumerate(["ume", "kiku", "ran", "sugi", "hagi"]):
        consortium.join(slug, seed, rows=300)
    consortium.task = Task.objects.create(name="Signal", **signal_task(TERMS))
    consortium.sign_roster()
    accept(consortium)
    run = start(consortium)
    *there, away = consortium.banks
    for bank in there:
        consortium.step(bank)
    long_ago = timezone.now() - timedelta(seconds=consortium.task.round_seconds // 2)
    Round.objects.update(opened_at=long_ago)
    schedules.advance(now=timezone.now())
    consortium.until(run, there, most=90)
    assert run.state == TrainingRun.State.DONE, describe(run)
    consortium.step(away)

    presence, sums = run.rounds.all()
    names = sorted(str(bank.pk) for bank in there)
    assert sums.manifest["body"]["members"] == names, "the next sum starts from what they opened"
    for round_ in (presence, sums):
        assert not SealedPartial.objects.filter(partial__round=round_, recipient=away).exists()
        for part in (f"submissions/{names[0]}", "aggregate"):
            with pytest.raises(Refused, match="nothing here"):
                Node(away).centre.get_bytes(f"rounds/{round_.pk}/{part}")
    with bank_scope(away.pk):
        assert not SignalOpening.objects.exists()
        assert not RoundPart.objects.exclude(derived_hash="").exists()
    with bank_scope(there[0].pk):
        assert SignalOpening.objects.get().banks == 4
