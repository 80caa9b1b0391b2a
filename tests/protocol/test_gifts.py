"""What a newcomer believes about what it is given, and what a peer gives it for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consortium.protocol import gifts
from consortium.protocol.envelope import digest
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.gifts import Gift, GiftReceipt, GiftRequest, Offer
from consortium.protocol.sealing import seal, unseal
from consortium.protocol.spec import METRICS, RISK_SIGNAL, DerivedResult, ModelVote
from tests.cast import (
    NOW,
    a_certificate,
    a_manifest,
    a_proposal,
    by_centre,
    digest_of,
    first_roster,
    identifier,
    player,
    players,
)

CAST = players(5)
ROSTER = first_roster(CAST).roster
NEWCOMER = player("Newcomer")
NEWEST = replace(
    ROSTER,
    version=2,
    previous=ROSTER.hash(),
    members=tuple(sorted((*ROSTER.members, NEWCOMER.member), key=lambda member: member.bank)),
)
BYTES = b"the model's bytes"
SUBJECT = digest(BYTES)
METRICS_ROUND = a_manifest(ROSTER, step=METRICS, base_model=SUBJECT, number=4)
SIGNAL_ROUND = a_manifest(ROSTER, step="counterparty sums", purpose=RISK_SIGNAL)


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        call(*args, **kwargs)
    str(refused.value)
    return refused.value.code


def a_vote(who, **changes):
    facts = {
        "task": ROSTER.task,
        "run": identifier("run"),
        "bank": who.bank,
        "model": SUBJECT,
        "accept": True,
        "reason": "",
    }
    return who.sign(ModelVote(**{**facts, **changes}))


def a_result(who, **changes):
    facts = {
        "task": ROSTER.task,
        "round": SIGNAL_ROUND.round,
        "bank": who.bank,
        "proposal": a_proposal(CAST, SIGNAL_ROUND).hash(),
        "result": SUBJECT,
        "next": None,
        "values": None,
    }
    return who.sign(DerivedResult(**{**facts, **changes}))


def an_offer(manifest=METRICS_ROUND, words=None, signers=CAST) -> Offer:
    made = [a_vote(p) for p in CAST] if manifest is METRICS_ROUND else [a_result(p) for p in CAST]
    return Offer(
        task=ROSTER.task,
        run=identifier("run"),
        subject=SUBJECT,
        manifest=by_centre(manifest),
        certificate=a_certificate(signers, a_proposal(CAST, manifest)),
        words=tuple(made if words is None else words),
    )


def a_request(peer=CAST[0], **changes) -> GiftRequest:
    facts = {
        "task": ROSTER.task,
        "run": identifier("run"),
        "subject": SUBJECT,
        "bank": NEWCOMER.bank,
        "peer": peer.bank,
        "roster": NEWEST.hash(),
        "attempt": 1,
    }
    return GiftRequest(**{**facts, **changes})


def a_gift(request: GiftRequest, box: bytes, /, **changes) -> Gift:
    facts = {
        "task": request.task,
        "subject": request.subject,
        "request": request.hash(),
        "giver": request.peer,
        "recipient": request.bank,
        "box": digest(box),
    }
    return Gift(**{**facts, **changes})


@pytest.mark.parametrize("manifest", [METRICS_ROUND, SIGNAL_ROUND])
def test_what_the_members_signed_is_believed(manifest):
    offer = an_offer(manifest)
    assert gifts.check_offer(Offer.from_wire(offer.to_wire()), roster=ROSTER) == manifest


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (an_offer(signers=CAST[:3]), "no_quorum"),
        (an_offer(words=[a_vote(p) for p in CAST[:2]]), "offer_unsigned"),
        (an_offer(words=[a_vote(p, accept=p is CAST[0]) for p in CAST]), "offer_unsigned"),
        (an_offer(words=[a_vote(CAST[0])] * 5), "offer_unsigned"),
        (an_offer(words=[a_vote(p, model=digest_of("old")) for p in CAST]), "bad_offer"),
        (an_offer(words=[a_vote(p, run=identifier("old")) for p in CAST]), "bad_offer"),
        (an_offer(words=[a_vote(p, bank=CAST[0].bank) for p in CAST]), "bad_offer"),
        (an_offer(words=[a_vote(NEWCOMER)]), "not_a_member"),
        (replace(an_offer(), subject=digest_of("another")), "bad_offer"),
        (replace(an_offer(), run=identifier("another")), "bad_offer"),
        (replace(an_offer(), manifest=by_centre(replace(METRICS_ROUND, recipe={}))), "bad_freeze"),
        (replace(an_offer(), manifest=CAST[0].sign(METRICS_ROUND)), "bad_signature"),
        (an_offer(SIGNAL_ROUND, words=[a_result(p) for p in CAST[:2]]), "offer_unsigned"),
        (an_offer(SIGNAL_ROUND, words=[a_result(CAST[0])] * 4), "offer_unsigned"),
        (an_offer(SIGNAL_ROUND, [a_result(p, result=digest_of("x")) for p in CAST]), "bad_offer"),
        (an_offer(SIGNAL_ROUND, [a_result(p, proposal=digest_of("x")) for p in CAST]), "bad_offer"),
    ],
)
def test_an_offer_that_the_members_did_not_sign_is_refused(offer, code):
    assert refusal(gifts.check_offer, offer, roster=ROSTER) == code


def test_an_offer_under_another_roster_is_refused():
    assert refusal(gifts.check_offer, an_offer(), roster=NEWEST) == "bad_offer"


def test_peers_that_hold_the_bytes_are_asked_in_an_order_that_nobody_chooses():
    four = a_proposal(CAST[:4], METRICS_ROUND)
    offer = replace(an_offer(), certificate=a_certificate(CAST, four))
    order = gifts.peers_in_order(offer, NEWEST, NEWCOMER.bank)
    assert sorted(order) == sorted(p.bank for p in CAST[:4])
    assert order == gifts.peers_in_order(offer, NEWEST, NEWCOMER.bank)
    others = {gifts.peers_in_order(offer, NEWEST, identifier(f"bank {n}"))[0] for n in range(40)}
    assert len(others) == 4, "newcomers are spread over the members"
    left = replace(NEWEST, members=tuple(m for m in NEWEST.members if m.bank != order[0]))
    assert gifts.peers_in_order(offer, left, NEWCOMER.bank) == order[1:]


def test_a_peer_gives_to_members_of_the_newest_roster_only():
    me = CAST[0].bank
    request = a_request()
    assert gifts.check_request(NEWCOMER.sign(request), me=me, newest=NEWEST) == request
    stranger = player("Stranger")
    for signed, newest, code in (
        (stranger.sign(a_request(bank=stranger.bank)), NEWEST, "not_a_member"),
        (NEWCOMER.sign(request), ROSTER, "not_a_member"),
        (CAST[1].sign(request), NEWEST, "bad_request"),
        (NEWCOMER.sign(a_request(CAST[1])), NEWEST, "bad_request"),
        (NEWCOMER.sign(a_request(roster=ROSTER.hash())), NEWEST, "bad_request"),
        (NEWCOMER.sign(a_request(task=identifier("other"))), NEWEST, "bad_request"),
        (replace(CAST[1].sign(request), signer=NEWCOMER.bank), NEWEST, "bad_signature"),
    ):
        assert refusal(gifts.check_request, signed, me=me, newest=newest) == code


def test_a_box_opens_for_its_request_giver_and_recipient_only():
    request = a_request()
    context = gifts.gift_context(request.hash(), request.peer, request.bank)
    box = seal(NEWCOMER.sealing.public, BYTES, context)
    assert unseal(NEWCOMER.sealing, box, context) == BYTES
    for other in (
        gifts.gift_context(digest_of("x"), request.peer, request.bank),
        gifts.gift_context(request.hash(), CAST[1].bank, request.bank),
    ):
        assert refusal(unseal, NEWCOMER.sealing, box, other) == "sealed_for_another"
    assert refusal(unseal, CAST[1].sealing, box, context) == "sealed_for_another"


def test_what_was_changed_on_the_way_is_not_laid_at_the_peers_door():
    request, box = a_request(), b"a box"
    signed = CAST[0].sign(a_gift(request, box))
    assert gifts.check_gift(signed, box, request=request, newest=NEWEST)
    for served, bytes_served, code in (
        (signed, b"another", "gift_changed"),
        (CAST[0].sign(a_gift(request, box, request=digest_of("x"))), box, "gift_changed"),
        (CAST[0].sign(a_gift(request, box, subject=digest_of("x"))), box, "gift_changed"),
        (CAST[0].sign(a_gift(request, box, recipient=CAST[1].bank)), box, "gift_changed"),
        (CAST[1].sign(a_gift(request, box)), box, "bad_signature"),
        (by_centre(a_gift(request, box)), box, "bad_signature"),
    ):
        code_found = refusal(gifts.check_gift, served, bytes_served, request=request, newest=NEWEST)
        assert code_found == code


def test_other_bytes_than_the_signed_ones_name_the_peer():
    request = a_request()
    assert gifts.check_bytes(BYTES, request=request) == BYTES
    with pytest.raises(ProtocolRefused) as refused:
        gifts.check_bytes(BYTES + b"!", request=request)
    assert (refused.value.code, refused.value.params["peer"]) == ("wrong_gift", CAST[0].bank)


def test_a_receipt_is_for_one_gift():
    gift = a_gift(a_request(), b"a box")
    receipt = GiftReceipt(gift.task, gift.giver, gift.hash(), 7, digest_of("entry"), NOW)
    assert gifts.check_receipt(by_centre(receipt), gift=gift, roster=ROSTER) == receipt
    other = replace(receipt, gift=digest_of("other"))
    assert refusal(gifts.check_receipt, by_centre(other), gift=gift, roster=ROSTER) == "bad_receipt"
    own = CAST[0].sign(receipt)
    assert refusal(gifts.check_receipt, own, gift=gift, roster=ROSTER) == "bad_signature"


def test_the_facts_of_the_log_name_both_banks():
    gift = a_gift(a_request(), b"a box")
    facts = gifts.gift_facts(gift)
    assert (facts["giver"], facts["recipient"]) == (CAST[0].bank, NEWCOMER.bank)
