"""How a round freezes, fails and is tried again; nobody is counted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from aggregation.models import LogEntry, Round, Submission, TrainingRun
from aggregation.services import freezing, runs, schedules
from consortium.accounts.models import AuditEntry
from consortium.protocol.errors import ProtocolRefused, Refused
from consortium.protocol.spec import FreezeProposal, FreezeSignature
from tests.aggregation.conftest import OPERATOR, a_lease_passes, the_deadline_passes
from tests.aggregation.nodes import Node, play

pytestmark = pytest.mark.django_db


def pass_deadline(five) -> Round:
    round_ = five.round
    the_deadline_passes(round_)
    schedules.advance(now=timezone.now())
    round_.refresh_from_db()
    return round_


def test_a_round_waits_for_everybody_until_its_deadline(five):
    five.start()
    play(five.nodes[:4], only={"submit"})
    schedules.advance(now=timezone.now())
    assert five.round.state == Round.State.OPEN
    round_ = pass_deadline(five)
    assert (round_.state, round_.phase) == (Round.State.FROZEN, Round.Phase.SIGNING)
    listed = [item["bank"] for item in round_.proposal["body"]["contributions"]]
    assert listed == sorted(node.bank for node in five.nodes[:4])


def test_a_round_freezes_at_once_when_everybody_came(five):
    five.start()
    play(five.nodes, only={"submit"})
    assert five.round.state == Round.State.FROZEN


def test_too_few_banks_abandon_the_round_visibly_and_the_run_tries_again(five):
    run = five.start()
    play(five.nodes[:3], only={"submit"})
    round_ = pass_deadline(five)
    assert round_.state == Round.State.ABANDONED
    assert round_.reason_params == {"came": 3, "needed": 4}
    assert "banks needed had come" in round_.reason
    again = five.round
    assert (again.number, again.attempt, again.state) == (0, 2, Round.State.OPEN)
    play(five.nodes, only={"submit", "sign_freeze", "open"})
    assert five.round.phase == Round.Phase.DERIVING
    run.refresh_from_db()
    assert run.state == TrainingRun.State.RUNNING


def test_a_run_that_cannot_be_completed_fails_with_the_reason(five):
    run = five.start()
    for _attempt in range(3):
        pass_deadline(five)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.FAILED
    assert "banks needed had come" in run.reason
    assert run.rounds.count() == 3


def test_a_late_submission_is_refused_and_changes_nothing(five):
    five.start()
    late = five.nodes[4]
    body = late.upload(str(five.round.pk))
    play(five.nodes[:4], only={"submit"})
    round_ = pass_deadline(five)
    answer = late.call("POST", f"rounds/{round_.pk}/submission", body)
    assert (answer.status_code, answer.json()["code"]) == (410, "round_closed")
    assert Submission.objects.count() == 4


def test_the_deadline_itself_counts_even_before_the_sweep(five):
    five.start()
    the_deadline_passes(five.round)
    answer = five.nodes[0].call(
        "POST", f"rounds/{five.round.pk}/submission", five.nodes[0].upload(str(five.round.pk))
    )
    assert answer.status_code == 410


def test_a_frozen_round_is_tried_again_with_the_same_banks_only(five):
    five.start()
    play(five.nodes[:4], only={"submit"})
    frozen = pass_deadline(five)
    runs.abandon_round(actor=OPERATOR, round_=frozen, why="drill")
    again = five.round
    assert again.attempt == 2
    members = again.manifest["body"]["members"]
    assert members == sorted(node.bank for node in five.nodes[:4])
    absent = five.nodes[4]
    answer = absent.call("POST", f"rounds/{again.pk}/submission", b"anything")
    assert answer.status_code == 404
    play(five.nodes[:3], only={"submit"})
    ended = pass_deadline(five)
    assert ended.state == Round.State.ABANDONED  # four of four, or none


def test_a_later_run_over_the_same_window_keeps_its_members(five):
    first = five.start(window="2026-W01")
    play(five.nodes[:4], only={"submit"})
    pass_deadline(five)
    runs.stop_run(actor=OPERATOR, run=first)
    second = five.start(window="2026-W01")
    assert len(second.rounds.get().manifest["body"]["members"]) == 4
    runs.stop_run(actor=OPERATOR, run=second)
    third = five.start(window="2026-W02")
    assert len(third.rounds.get().manifest["body"]["members"]) == 5


def test_stopping_a_run_abandons_its_round(five):
    run = five.start()
    runs.stop_run(actor=OPERATOR, run=run)
    run.refresh_from_db()
    assert (run.state, five.round.state) == ("failed", "abandoned")
    assert run.rounds.count() == 1
    with pytest.raises(Refused, match="over"):
        runs.stop_run(actor=OPERATOR, run=run)


def test_custodians_step_in_when_those_on_duty_are_silent(five):
    five.start()
    play(five.nodes, only={"submit", "sign_freeze"})
    on_duty = [node for node in five.nodes if "open" in {d.duty for d in node.duties()}]
    assert len(on_duty) == 3
    a_lease_passes(five.round)
    assert len([n for n in five.nodes if "open" in {d.duty for d in n.duties()}]) == 4
    resting = [node for node in five.nodes if node not in on_duty]
    a_lease_passes(five.round)
    play([*resting, on_duty[0]], only={"open", "derive"})
    assert five.round.number == 0 or five.round.state == Round.State.OPEN
    assert Round.objects.get(number=0).state == Round.State.OPENED


def test_two_custodians_do_not_open_anything(five):
    five.start()
    play(five.nodes, only={"submit", "sign_freeze"})
    on_duty = [node for node in five.nodes if "open" in {d.duty for d in node.duties()}]
    play(on_duty[:2], only={"open"})
    assert five.round.phase == Round.Phase.OPENING
    assert "derive" not in {duty.duty for node in five.nodes for duty in node.duties()}
    with pytest.raises(ProtocolRefused):
        five.nodes[0].opened(str(five.round.pk))


def test_different_results_dispute_the_round_and_end_the_run(five):
    run = five.start()
    play(five.nodes, only={"submit", "sign_freeze", "open"})
    round_id = str(five.round.pk)
    five.nodes[0].derive(round_id)
    answer = five.nodes[1].derive(round_id, result="ab" * 32)
    assert answer.json()["state"] == "disputed"
    run.refresh_from_db()
    assert run.state == TrainingRun.State.FAILED
    assert "different results" in run.reason


# Equivocation


def other_list(five, round_: Round) -> FreezeProposal:
    proposal = FreezeProposal.from_wire(round_.proposal["body"])
    return replace(proposal, contributions=proposal.contributions[:4])


def test_a_bank_that_signed_one_list_cannot_be_shown_another(five, monkeypatch):
    """A centre that serves a second list over the same round is refused by every bank."""
    from aggregation import keys

    five.start()
    play(five.nodes, only={"submit"})
    round_ = five.round
    play(five.nodes[:3], only={"sign_freeze"})
    second = other_list(five, round_)
    Round.objects.filter(pk=round_.pk).update(
        proposal=keys.signed(second).to_wire(), proposal_hash=second.hash()
    )
    for node, code in zip(five.nodes, ["second_list"] * 3 + [None, "bad_freeze"], strict=True):
        if code is None:
            assert node.sign_freeze(str(round_.pk)).status_code == 201
            continue
        with pytest.raises(ProtocolRefused) as refused:
            node.sign_freeze(str(round_.pk))
        assert refused.value.code == code
    assert five.round.phase == Round.Phase.SIGNING


def test_a_signature_for_another_list_is_not_taken(five):
    five.start()
    play(five.nodes, only={"submit"})
    round_ = five.round
    second = other_list(five, round_)
    word = FreezeSignature(second.task, second.round, second.subject, second.hash())
    answer = five.nodes[0].say(f"rounds/{round_.pk}/freeze/signature", word)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_list")
    assert not round_.freeze_signatures.exists()


def test_without_a_quorum_nothing_is_handed_out(five):
    five.start()
    play(five.nodes, only={"submit"})
    round_ = five.round
    play(five.nodes[:3], only={"sign_freeze"})
    node = five.nodes[0]
    for path in ("certificate", f"submissions/{five.nodes[1].bank}", "aggregate"):
        assert node.call("GET", f"rounds/{round_.pk}/{path}").status_code == 404
    play(five.nodes[3:4], only={"sign_freeze"})
    assert node.call("GET", f"rounds/{round_.pk}/certificate").status_code == 200


# Concurrency: real transactions


@pytest.mark.django_db(transaction=True)
def test_racing_copies_of_one_submission_count_once(five):
    five.start()
    node, round_ = five.nodes[0], five.round
    one, other = (node.upload(str(round_.pk)) for _ in range(2))
    answers = at_once(node, f"rounds/{round_.pk}/submission", [one, other] * 4)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert statuses.count(200) == 3
    assert statuses.count(409) == 4
    receipts = {answer.content for answer in answers if answer.status_code in {200, 201}}
    assert len(receipts) == 1
    assert Submission.objects.filter(round=round_).count() == 1
    assert LogEntry.objects.filter(event="submission").count() == 1


@pytest.mark.django_db(transaction=True)
def test_submissions_racing_the_freeze_are_in_the_list_or_refused(five):
    five.start()
    round_ = five.round
    bodies = {node.bank: node.upload(str(round_.pk)) for node in five.nodes}
    play(five.nodes[:3], only={"submit"})
    play_late = five.nodes[3:]
    for node in play_late[:1]:
        assert node.submit(str(round_.pk)).status_code == 201
    the_deadline_passes(round_)

    def act(step):
        try:
            if step is None:
                freezing.freeze_if_due(round_id=round_.pk)
                return None
            return step.call("POST", f"rounds/{round_.pk}/submission", bodies[step.bank])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(act, [play_late[1], None, play_late[1], None]))
    round_.refresh_from_db()
    listed = {item["bank"] for item in round_.proposal["body"]["contributions"]}
    came = {str(s.bank_id) for s in Submission.objects.filter(round=round_)}
    assert listed == came
    accepted = any(a is not None and a.status_code in {200, 201} for a in answers)
    assert accepted == (play_late[1].bank in listed)


@pytest.mark.django_db(transaction=True)
def test_the_log_has_no_gap_under_concurrent_submissions(five):
    five.start()
    round_ = five.round
    bodies = {node.bank: node.upload(str(round_.pk)) for node in five.nodes}

    def send(node: Node):
        try:
            return node.call("POST", f"rounds/{round_.pk}/submission", bodies[node.bank])
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, five.nodes))
    assert [answer.status_code for answer in answers] == [201] * 5
    indices = list(LogEntry.objects.order_by("index").values_list("index", flat=True))
    assert indices == list(range(len(indices)))
    assert five.round.state == Round.State.FROZEN


def at_once(node: Node, path: str, bodies: list[bytes]):
    def send(body: bytes):
        try:
            return node.call("POST", path, body)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


def test_every_change_leaves_an_audit_row(three):
    three.start()
    play(three.nodes, only={"submit", "sign_freeze", "open", "derive"})
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {
        "bank.invited",
        "bank.joined",
        "roster.proposed",
        "roster.signed",
        "key.published",
        "key.witnessed",
        "run.started",
        "round.opened",
        "round.submitted",
        "round.frozen",
        "round.list_signed",
        "round.partial_given",
        "round.derived",
        "round.summed",
    } <= verbs
