"""Each wrong thing a node can send gets a clear sentence and changes nothing."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest

from aggregation.models import Derived, FreezeSignature, LogEntry, Partial, Round, Submission, Vote
from aggregation.services import enrolment
from consortium.protocol import paillier
from consortium.protocol.envelope import frame, sign_request, unframe
from consortium.protocol.spec import Box
from tests.aggregation.conftest import OPERATOR, founded, joined, with_key
from tests.aggregation.nodes import API, LIMIT, Node, play

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_round(three):
    three.start()
    return three


def refused(answer, status: int, code: str) -> None:
    assert answer.status_code == status, answer.content
    error = answer.json()
    assert error["code"] == code
    assert len(error["message"]) > 20
    assert "%(" not in error["message"]


def submit(consortium, **changes):
    node, round_ = consortium.nodes[0], consortium.round
    before = LogEntry.objects.count()
    answer = node.call(
        "POST", f"rounds/{round_.pk}/submission", node.upload(str(round_.pk), **changes)
    )
    assert not Submission.objects.exists()
    assert LogEntry.objects.count() == before
    return answer


def replaced(value):
    """Put ``value(key)`` in the place of the second ciphertext."""
    return lambda ciphertexts, key: [ciphertexts[0], value(key), *ciphertexts[2:]]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (lambda key: 0, "bad_ciphertext"),
        (lambda key: 1, "bad_ciphertext"),
        (lambda key: key.n, "bad_ciphertext"),
        (lambda key: key.n_squared, "bad_ciphertext"),
        (lambda key: key.n_squared + 1, "bad_ciphertext"),
        (lambda key: 1 + 5 * key.n, "bad_ciphertext"),
    ],
    ids=["zero", "one", "n", "n squared", "above n squared", "without randomness"],
)
def test_a_ciphertext_out_of_range_is_refused(open_round, value, code):
    refused(submit(open_round, spoil=replaced(value)), 422, code)


def test_a_wrong_count_of_ciphertexts_is_refused(open_round):
    refused(submit(open_round, spoil=lambda c, key: c[:-1]), 422, "wrong_count")
    refused(submit(open_round, spoil=lambda c, key: [*c, c[0]]), 422, "wrong_count")
    refused(submit(open_round, spoil=lambda c, key: []), 422, "wrong_count")


def test_half_a_ciphertext_is_refused(open_round):
    node, round_ = open_round.nodes[0], open_round.round
    _head, (body, _proof) = unframe(node.upload(str(round_.pk)), LIMIT)
    refused(submit(open_round, body=body[:-1]), 422, "wrong_count")


def test_a_submission_of_another_round_is_refused(open_round):
    other = {"round": str(uuid.uuid4())}
    refused(submit(open_round, header=other), 409, "other_round")
    manifest = open_round.nodes[0].manifest(str(open_round.round.pk))
    later = replace(manifest, attempt=2)
    refused(submit(open_round, header={"manifest": later.hash()}), 409, "other_round")


def test_a_body_other_than_the_signed_one_is_refused(open_round):
    refused(submit(open_round, header={"ciphertexts": "ab" * 32}), 422, "bad_submission")
    refused(submit(open_round, header={"proof": "ab" * 32}), 422, "bad_submission")


def test_a_proof_of_another_bank_or_none_is_refused(open_round):
    other = open_round.nodes[1].bank
    answer = submit(open_round, prove_as=other)
    assert answer.status_code == 422
    assert submit(open_round, proof=b"").status_code == 422
    assert submit(open_round, proof=b"\0" * 144).status_code == 422


def test_copied_ciphertexts_are_refused(open_round):
    """A bank cannot ride on another's upload: the proof names who made it."""
    victim, thief = open_round.nodes[:2]
    round_id = str(open_round.round.pk)
    assert victim.submit(round_id).status_code == 201
    _head, (body, proof) = unframe(victim.bodies[round_id], LIMIT)
    copied = thief.upload(round_id, body=body, proof=proof)
    answer = thief.call("POST", f"rounds/{round_id}/submission", copied)
    assert answer.status_code == 422
    assert Submission.objects.count() == 1


def test_a_submission_signed_by_another_bank_is_refused(open_round):
    node, other = open_round.nodes[:2]
    round_id = str(open_round.round.pk)
    body = other.upload(round_id)
    refused(node.call("POST", f"rounds/{round_id}/submission", body), 422, "wrong_signer")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"CSRT", b"CSRT" + b"\xff" * 100, frame({}, b"", b"")]
)
def test_noise_is_refused(open_round, body):
    node, round_id = open_round.nodes[0], open_round.round.pk
    refused(node.call("POST", f"rounds/{round_id}/submission", body), 422, "malformed")


def test_a_body_over_the_limit_is_refused(open_round, settings):
    node, round_id = open_round.nodes[0], open_round.round.pk
    refused(node.call("POST", f"rounds/{round_id}/submission", b"x" * 200_000), 413, "too_large")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused(node.call("POST", f"rounds/{round_id}/submission", b"x" * 1001), 413, "too_large")


def test_the_same_again_gives_the_same_receipt_and_another_body_a_conflict(open_round):
    node, round_id = open_round.nodes[0], str(open_round.round.pk)
    first = node.submit(round_id)
    again = node.submit(round_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    other = node.call("POST", f"rounds/{round_id}/submission", node.upload(round_id))
    refused(other, 409, "submitted_already")
    play(open_round.nodes, only={"submit"})
    assert open_round.round.state == Round.State.FROZEN
    assert node.submit(round_id).content == first.content  # a lost answer can always be had again


# Whose it is


def test_a_stranger_gets_404_everywhere(open_round):
    stranger, run = joined("Stranger"), open_round.round.run
    round_id, task = open_round.round.pk, open_round.task.pk
    mine = [
        f"tasks/{task}/roster",
        f"tasks/{task}/epoch",
        f"epochs/{run.epoch_id}",
        f"runs/{run.pk}",
        f"rounds/{round_id}/manifest",
        f"rounds/{round_id}/freeze",
        f"rounds/{round_id}/certificate",
        f"rounds/{round_id}/partials",
        f"rounds/{round_id}/submissions/{open_round.nodes[0].bank}",
    ]
    for path in mine:
        missing = path
        for known in (round_id, task, run.epoch_id, run.pk):
            missing = missing.replace(str(known), str(uuid.uuid4()))
        theirs, none = stranger.call("GET", path), stranger.call("GET", missing)
        assert theirs.status_code == none.status_code == 404, path
        assert theirs.content == none.content
    for path in ("submission", "partials", "derived", "freeze/signature"):
        answer = stranger.post(f"rounds/{round_id}/{path}", stranger.sign_nothing())
        assert answer.status_code == 404
    assert stranger.duties() == []


def test_a_bank_of_another_task_gets_404(db):
    one = with_key(founded(3), "2-of-3")
    one.start()
    others = [joined(f"Other {i}") for i in range(3)]
    for node in others:
        answer = node.call("GET", f"rounds/{one.round.pk}/manifest")
        refused(answer, 404, "not_found")


# Signed requests


def test_an_unsigned_or_wrongly_signed_request_is_401(open_round):
    node = open_round.nodes[0]
    assert node.call("GET", "next", headers={}).status_code == 401
    forged = Node(node.bank)
    refused(forged.call("GET", "next"), 401, "bad_signature")
    unknown = Node(str(uuid.uuid4()))
    refused(unknown.call("GET", "next"), 401, "unknown_bank")


@pytest.mark.parametrize("missing", ["Bank", "Created", "Nonce", "Signature"])
def test_an_absent_header_is_never_a_skipped_check(open_round, missing):
    node = open_round.nodes[0]
    headers = sign_request(
        "GET",
        API + "next",
        b"",
        bank=node.bank,
        created=int(time.time()),
        nonce="ab" * 16,
        key=node.signing,
    )
    del headers[f"Consortium-{missing}"]
    refused(node.call("GET", "next", headers=headers), 401, "unsigned_request")


@pytest.mark.parametrize("off", [-400, 400])
def test_a_clock_that_is_off_is_401(open_round, off):
    answer = open_round.nodes[0].call("GET", "next", created=int(time.time()) + off)
    refused(answer, 401, "clock")
    assert "clock" in answer.json()["message"]


def test_a_replayed_request_is_401(open_round):
    node, path = open_round.nodes[0], f"rounds/{open_round.round.pk}/submission"
    assert node.call("POST", path, b"x", nonce="cd" * 16).status_code == 422
    refused(node.call("POST", path, b"x", nonce="cd" * 16), 401, "replayed_request")


def test_a_suspended_or_removed_bank_is_refused_at_once(open_round):
    node = open_round.nodes[0]
    bank = open_round.bank(node)
    enrolment.suspend_bank(actor=OPERATOR, bank=bank, reason="drill")
    refused(node.call("GET", "next"), 403, "bank_suspended")
    refused(node.submit_raw(str(open_round.round.pk)), 403, "bank_suspended")
    enrolment.remove_bank(actor=OPERATOR, bank=bank, reason="drill")
    refused(node.call("GET", "next"), 403, "bank_suspended")


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b"[" * 100_000, b"NaN", b"1e999", b"[1]", b"\xff", b"1" * 6000]
)
def test_hostile_json_is_refused(open_round, body):
    node, round_id = open_round.nodes[0], open_round.round.pk
    refused(node.call("POST", f"rounds/{round_id}/derived", body), 422, "malformed")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=" + "9" * 30])
def test_a_bad_log_position_is_refused(open_round, query):
    assert open_round.nodes[0].call("GET", f"log?{query}").status_code == 422


# After the freeze


def test_a_partial_for_another_sum_or_of_another_bank_is_refused(three):
    three.start()
    play(three.nodes, only={"submit", "sign_freeze"})
    round_id = str(three.round.pk)
    node, other = three.nodes[:2]
    for changes, code in (
        ({"aggregate": "ab" * 32}, "other_sum"),
        ({"proposal": "ab" * 32}, "other_round"),
        ({"index": 3}, "wrong_signer"),
        ({"bank": other.bank}, "wrong_signer"),
        ({"boxes": ()}, "bad_boxes"),
        ({"boxes": tuple(Box(n.bank, "ab" * 32) for n in three.nodes)}, "bad_boxes"),
    ):
        body = node.partial(round_id, **changes)
        answer = node.call("POST", f"rounds/{round_id}/partials", body)
        assert answer.json()["code"] == code
        assert answer.status_code in {409, 422}
    assert not Partial.objects.exists()


def test_a_partial_is_given_once(three):
    three.start()
    play(three.nodes, only={"submit", "sign_freeze"})
    round_id, node = str(three.round.pk), three.nodes[0]
    assert node.open(round_id).status_code == 201
    assert node.open(round_id).status_code == 201  # the same again
    fresh = node.partial(round_id)
    refused(node.call("POST", f"rounds/{round_id}/partials", fresh), 409, "opened_already")
    assert Partial.objects.count() == 1


def test_results_before_their_time_of_another_list_or_second_ones_are_refused(three):
    three.start()
    play(three.nodes, only={"submit", "sign_freeze"})
    round_id, node = str(three.round.pk), three.nodes[0]
    play(three.nodes, only={"open"})
    refused(node.derive(round_id, proposal="ab" * 32), 409, "other_round")
    refused(node.derive(round_id, bank=three.nodes[1].bank), 422, "wrong_signer")
    early = node.derive(round_id)
    assert early.status_code == 201
    refused(node.derive(round_id, result="cd" * 32), 409, "derived_already")
    assert Derived.objects.count() == 1


def test_an_opened_sum_is_published_in_metrics_rounds_only(three):
    from consortium.protocol.spec import values_digest

    three.start()
    play(three.nodes, only={"submit", "sign_freeze", "open"})
    round_id, node = str(three.round.pk), three.nodes[0]
    leaked = node.derive(round_id, values=(1, 2), result=values_digest((1, 2)), next=None)
    refused(leaked, 422, "wrong_values")
    assert not Derived.objects.exists()


def test_a_freeze_signature_before_the_freeze_is_404(open_round):
    node, round_id = open_round.nodes[0], open_round.round.pk
    answer = node.post(f"rounds/{round_id}/freeze/signature", node.sign_nothing())
    assert answer.status_code in {404, 422}
    assert not FreezeSignature.objects.exists()


def test_a_vote_about_another_model_or_a_second_one_is_refused(three):
    run = three.start()
    play(three.nodes, only={"submit", "sign_freeze", "open", "derive"})
    node = three.nodes[0]
    (duty,) = [duty for duty in node.duties() if duty.duty == "vote"]
    refused(node.vote(replace(duty, model="ab" * 32)), 409, "other_model")
    assert not Vote.objects.exists()
    assert node.vote(duty).status_code == 201
    node.accepts = False
    refused(node.vote(duty), 409, "voted_already")
    assert run.version.votes.get().accept


def test_a_ciphertext_under_another_key_is_refused(open_round):
    """The proof of plaintext knowledge is bound to the key."""
    from tests.protocol.keys import shared_key

    foreign = shared_key("3-of-5").public.paillier

    def under_other_key(ciphertexts, key):
        randomness = paillier.Randomisers(foreign).draw(len(ciphertexts))
        vector = paillier.encrypt([1] * len(ciphertexts), foreign, randomness)
        return [value % key.n_squared for value in vector]

    assert submit(open_round, spoil=under_other_key).status_code == 422
