"""Every move of a malicious coordinator or custodian, and the check that refuses it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import combinations

import pytest

from consortium.protocol import custody
from consortium.protocol.custody import Act
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.merkle import consistency_proof, merkle_root
from consortium.protocol.receipts import TreeHead
from consortium.protocol.roster import Numbers, Roster, SignedRoster, sign_roster
from consortium.protocol.spec import Box, Contribution, PartialHeader
from tests.cast import (
    NOW,
    TASK,
    a_certificate,
    a_header,
    a_manifest,
    a_proposal,
    a_receipt,
    an_epoch,
    by_centre,
    ciphertexts_of,
    digest_of,
    first_roster,
    freeze_word,
    identifier,
    player,
    players,
)

CAST = players(5)
SIGNED_ROSTER = first_roster(CAST)
ROSTER = SIGNED_ROSTER.roster
EPOCH = an_epoch(ROSTER)
MANIFEST = a_manifest(ROSTER)
ME = CAST[0]


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        call(*args, **kwargs)
    str(refused.value)
    return refused.value.code


def check_manifest(manifest, signed=None, purposes=("fraud detection",)):
    return custody.check_manifest(
        signed or by_centre(manifest), roster=ROSTER, epoch=EPOCH, purposes=purposes, now=NOW
    )


def check_freeze(proposal, *, me=ME, receipt=True, acts=(), manifest=MANIFEST):
    return custody.check_freeze(
        by_centre(proposal),
        manifest=manifest,
        roster=ROSTER,
        bank=me.bank,
        receipt=a_receipt(me, manifest) if receipt else None,
        acts=acts,
    )


def check_opening(certificate, added=CAST, *, manifest=MANIFEST, acts=()):
    headers = [a_header(p, manifest) for p in added]
    custody.check_opening(certificate, headers, manifest=manifest, roster=ROSTER, acts=acts)


def certified(cast, manifest=MANIFEST, signers=CAST):
    return a_certificate(signers, a_proposal(cast, manifest))


# The honest course


def test_an_honest_round_passes_every_check():
    assert check_manifest(MANIFEST) == MANIFEST
    proposal = a_proposal(CAST, MANIFEST)
    assert check_freeze(proposal) == proposal
    assert check_freeze(proposal, acts=[Act.on(proposal)]) == proposal
    check_opening(certified(CAST), acts=[Act.on(proposal)])


def test_a_bank_without_a_receipt_may_sign_a_list_without_itself():
    assert check_freeze(a_proposal(CAST[1:], MANIFEST), receipt=False)


# The moves of issue: a malicious coordinator


def test_a_single_ciphertext_is_never_frozen_or_opened():
    alone = a_proposal(CAST[:1], MANIFEST)
    assert code_of(check_freeze, alone) == "cohort_too_small"
    assert code_of(check_opening, a_certificate(CAST, alone), CAST[:1]) == "cohort_too_small"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_subset_below_the_cohort_is_refused(size):
    assert code_of(check_freeze, a_proposal(CAST[:size], MANIFEST)) == "cohort_too_small"
    assert code_of(check_opening, certified(CAST[:size]), CAST[:size]) == "cohort_too_small"


def test_a_layout_of_another_protocol_is_refused_in_the_manifest():
    assert code_of(check_manifest, replace(MANIFEST, layout="k24w32")) == "bad_manifest"


def test_one_shared_key_never_closes_a_long_vector():
    epoch = replace(EPOCH, protocol="paillier-phe")
    for length, code in ((10_001, "laboratory_only"), (10_000, None)):
        manifest = replace(MANIFEST, protocol="paillier-phe", length=length)
        facts = {"roster": ROSTER, "epoch": epoch, "purposes": ["fraud detection"], "now": NOW}
        if code is None:
            assert custody.check_manifest(by_centre(manifest), **facts) == manifest
        else:
            assert code_of(custody.check_manifest, by_centre(manifest), **facts) == code


def test_a_smaller_cohort_than_the_roster_asks_is_refused_in_the_manifest():
    assert code_of(check_manifest, replace(MANIFEST, minimum_cohort=3)) == "bad_manifest"
    assert code_of(check_manifest, replace(MANIFEST, quorum=3)) == "bad_manifest"
    assert code_of(check_manifest, replace(MANIFEST, threshold=2)) == "bad_manifest"
    assert code_of(check_manifest, replace(MANIFEST, members=ROSTER.banks[:3])) == "bad_manifest"


def test_a_bank_listed_or_added_twice_is_refused():
    proposal = a_proposal(CAST, MANIFEST)
    first, *rest = proposal.contributions
    twice = replace(proposal, contributions=(first, first, *rest))
    renamed = Contribution(rest[0].bank, first.submission)
    copied = replace(proposal, contributions=(first, renamed, *rest[1:]))
    assert code_of(check_freeze, twice) == "bad_freeze"
    assert code_of(check_freeze, copied) == "bad_freeze"
    assert code_of(check_opening, certified(CAST), [*CAST, ME]) == "other_sum"
    assert code_of(check_opening, certified(CAST), [*CAST[:4], ME]) == "other_sum"


def test_a_sum_of_other_uploads_than_the_certified_is_refused():
    assert code_of(check_opening, certified(CAST), CAST[:4]) == "other_sum"
    assert code_of(check_opening, certified(CAST[:4]), CAST) == "other_sum"


def test_another_rounds_list_or_upload_is_refused():
    other = a_manifest(ROSTER, round=identifier("other"))
    assert code_of(check_freeze, a_proposal(CAST, other)) == "bad_freeze"
    assert code_of(check_opening, certified(CAST, other)) == "bad_freeze"
    for changed in ({"round": other.round}, {"manifest": other.hash()}):
        header = a_header(ME, MANIFEST, **changed)
        assert code_of(check_submission, ME, header) == "other_round"


def test_a_second_list_for_one_round_is_refused():
    first, second = a_proposal(CAST, MANIFEST), a_proposal(CAST[:4], MANIFEST)
    assert code_of(check_freeze, second, acts=[Act.on(first)]) == "second_list"
    opened = [Act.on(first)]
    assert code_of(check_opening, certified(CAST[:4]), CAST[:4], acts=opened) == "second_list"


def test_a_second_opening_over_the_same_model_with_other_banks_is_refused():
    again = a_manifest(ROSTER, round=identifier("again"), attempt=2)
    acts = [Act.on(a_proposal(CAST, MANIFEST))]
    fewer = a_proposal(CAST[:4], again)
    assert code_of(check_freeze, fewer, manifest=again, acts=acts) == "other_members"
    opening = a_certificate(CAST, fewer)
    assert code_of(check_opening, opening, CAST[:4], manifest=again, acts=acts) == "other_members"
    assert check_freeze(a_proposal(CAST, again), manifest=again, acts=acts)


def test_the_same_statistic_with_one_member_fewer_is_refused_even_in_another_run():
    window = {"number": 0, "step": "statistics", "window": "2026-W01"}
    first = a_manifest(ROSTER, **window)
    later = a_manifest(
        ROSTER,
        **window,
        run=identifier("later run"),
        round=identifier("later round"),
        base_model=digest_of("fresh start"),
    )
    acts = [Act.on(a_proposal(CAST, first))]
    fewer = a_proposal(CAST[:4], later)
    assert code_of(check_freeze, fewer, manifest=later, acts=acts) == "other_members"
    next_window = replace(later, window="2026-W02")
    assert check_freeze(a_proposal(CAST[:4], next_window), manifest=next_window, acts=acts)


def test_a_signal_is_for_the_banks_in_its_sum_and_a_model_for_every_member():
    signal = a_manifest(ROSTER, purpose="risk-signal")
    for manifest, readers in ((MANIFEST, ROSTER.banks), (signal, ROSTER.banks[:4])):
        proposal = a_proposal(CAST[:4], manifest)
        assert custody.readers(proposal, manifest=manifest, roster=ROSTER) == readers


def test_a_list_that_hides_its_subject_is_refused():
    hidden = replace(a_proposal(CAST, MANIFEST), subject=digest_of("another"))
    assert code_of(check_freeze, hidden) == "bad_freeze"


@pytest.mark.parametrize("banks", range(3, 9))
def test_two_views_cannot_both_gather_a_quorum(banks):
    """Colluders sign both lists, every honest bank signs one: never two certificates."""
    numbers = Numbers.of(banks)
    honest = range(numbers.colluders, banks)
    for size in range(len(honest) + 1):
        for left in combinations(honest, size):
            votes = numbers.colluders + len(left), numbers.colluders + len(honest) - len(left)
            assert min(votes) < numbers.quorum


def test_two_halves_shown_two_lists_get_no_certificate():
    views = a_proposal(CAST, MANIFEST), a_proposal(CAST[:4], MANIFEST)
    halves = CAST[:3], CAST[3:]
    memory: dict[str, list[Act]] = {p.bank: [] for p in CAST}
    words = {view: [] for view in views}
    for view, half in zip(views, halves, strict=True):
        for bank in half:
            mine = bank in CAST[:4] or len(view.banks) == 5
            receipt = a_receipt(bank, MANIFEST) if mine else None
            custody.check_freeze(
                by_centre(view),
                manifest=MANIFEST,
                roster=ROSTER,
                bank=bank.bank,
                receipt=receipt,
                acts=memory[bank.bank],
            )
            memory[bank.bank].append(Act.on(view))
            words[view].append(freeze_word(bank, view))
    for view, other in (views, views[::-1]):
        for bank in CAST[:4]:
            if memory[bank.bank] == [Act.on(view)]:
                acts = memory[bank.bank]
                assert code_of(check_freeze, other, me=bank, acts=acts) == "second_list"
        certificate = replace(a_certificate([], view), signatures=tuple(words[view]))
        assert code_of(custody.check_certificate, certificate, ROSTER) == "no_quorum"


def test_invented_banks_never_enter_the_roster():
    invented = sorted([*CAST, player("Invented 0"), player("Invented 1")], key=lambda p: p.bank)
    roster = Roster(
        TASK, 2, ROSTER.hash(), ROSTER.coordinator_key, tuple(p.member for p in invented)
    )
    strangers = [p for p in invented if p not in CAST]
    own = tuple(sign_roster(roster, bank=p.bank, key=p.signing) for p in CAST[:2])
    theirs = tuple(sign_roster(roster, bank=p.bank, key=p.signing) for p in strangers)
    known = {1: ROSTER.hash()}
    for signatures, code in ((own, "roster_unsigned"), ((*own, *theirs), "not_a_member")):
        chain = [SIGNED_ROSTER, SignedRoster(roster, signatures)]
        assert code_of(custody.check_roster, chain, known=known) == code
    assert code_of(check_manifest, a_manifest(roster)) == "bad_manifest"


def test_another_history_of_rosters_is_refused():
    assert custody.check_roster([SIGNED_ROSTER], known={1: ROSTER.hash()}) == ROSTER
    other = first_roster(players(6))
    assert code_of(custody.check_roster, [other], known={1: ROSTER.hash()}) == "roster_changed"
    chain, known = [SIGNED_ROSTER], {1: ROSTER.hash(), 2: digest_of("second")}
    assert code_of(custody.check_roster, chain, known=known) == "roster_changed"


def test_a_different_model_for_one_bank_is_refused():
    manifest = replace(MANIFEST, base_model=sha256(b"model").hexdigest())
    custody.check_base_model(manifest, b"model")
    assert code_of(custody.check_base_model, manifest, b"other") == "other_model"


def test_a_receipt_is_for_my_submission_only():
    header, receipt = a_header(ME, MANIFEST), a_receipt(ME, MANIFEST)
    custody.check_receipt(by_centre(receipt), header=header, roster=ROSTER)
    for other in (
        replace(receipt, submission=digest_of("x")),
        replace(receipt, bank=CAST[1].bank),
        replace(receipt, round=identifier("other")),
    ):
        signed = by_centre(other)
        assert code_of(custody.check_receipt, signed, header=header, roster=ROSTER) == "bad_receipt"
    mine = ME.sign(receipt)
    assert code_of(custody.check_receipt, mine, header=header, roster=ROSTER) == "bad_signature"


def test_a_list_that_breaks_my_receipt_is_refused():
    assert code_of(check_freeze, a_proposal(CAST[1:], MANIFEST)) == "bad_freeze"
    assert code_of(check_freeze, a_proposal(CAST, MANIFEST), receipt=False) == "bad_freeze"
    proposal = a_proposal(CAST, MANIFEST)
    swapped = Contribution(ME.bank, digest_of("not what I sent"))
    other = replace(proposal, contributions=(swapped, *proposal.contributions[1:]))
    assert code_of(check_freeze, other) == "bad_freeze"


def test_a_list_with_a_bank_that_may_not_take_part_is_refused():
    without = replace(MANIFEST, members=ROSTER.banks[:4])
    assert code_of(check_freeze, a_proposal(CAST, without), manifest=without) == "bad_freeze"
    unordered = replace(
        a_proposal(CAST, MANIFEST),
        contributions=a_proposal(CAST, MANIFEST).contributions[::-1],
    )
    assert code_of(check_freeze, unordered) == "bad_freeze"


def test_a_certificate_needs_a_quorum_of_different_members():
    proposal = a_proposal(CAST, MANIFEST)
    custody.check_certificate(a_certificate(CAST[:4], proposal), ROSTER)
    three = [*CAST[:3], CAST[0]]
    assert code_of(custody.check_certificate, a_certificate(three, proposal), ROSTER) == "no_quorum"
    stranger = [*CAST[:3], player("Stranger")]
    certificate = a_certificate(stranger, proposal)
    assert code_of(custody.check_certificate, certificate, ROSTER) == "not_a_member"
    other = a_certificate(CAST[:4], a_proposal(CAST[:4], MANIFEST))
    mixed = replace(a_certificate(CAST[:3], proposal), signatures=other.signatures)
    assert code_of(custody.check_certificate, mixed, ROSTER) == "bad_freeze"


@pytest.mark.parametrize(
    "change",
    [
        {"roster": digest_of("other")},
        {"task": identifier("other")},
        {"key_id": digest_of("other")},
        {"epoch": identifier("other")},
        {"protocol": "secagg"},
        {"key_bits": 2048},
        {"members": tuple(sorted([*ROSTER.banks, identifier("stranger")]))},
        {"purpose": "marketing"},
        {"deadline": NOW + 31 * 24 * 3600},
        {"opened_at": NOW - 20, "deadline": NOW},
    ],
    ids=str,
)
def test_a_manifest_outside_the_agreement_is_refused(change):
    assert code_of(check_manifest, replace(MANIFEST, **change)) == "bad_manifest"


def test_a_manifest_is_the_centres_word():
    assert code_of(check_manifest, MANIFEST, signed=ME.sign(MANIFEST)) == "bad_signature"
    forged = replace(ME.sign(MANIFEST), signer=by_centre(MANIFEST).signer)
    assert code_of(check_manifest, MANIFEST, signed=forged) == "bad_signature"


# Uploads


def check_submission(signer, header, ciphertexts=None, proof=b"proof", manifest=MANIFEST):
    return custody.check_submission(
        signer.sign(header),
        ciphertexts_of(signer) if ciphertexts is None else ciphertexts,
        proof,
        manifest=manifest,
        roster=ROSTER,
    )


def test_an_upload_is_its_signers_and_whole():
    header = a_header(ME, MANIFEST)
    assert check_submission(ME, header) == header
    assert code_of(check_submission, ME, header, b"others") == "bad_submission"
    assert code_of(check_submission, ME, header, None, b"others") == "bad_submission"
    assert code_of(check_submission, CAST[1], header, ciphertexts_of(ME)) == "bad_submission"
    stranger = player("Stranger")
    assert code_of(check_submission, stranger, a_header(stranger, MANIFEST)) == "not_a_member"
    left_out = replace(MANIFEST, members=ROSTER.banks[1:])
    assert code_of(check_submission, ME, header, manifest=left_out) == "not_a_member"


# Keys


def signatures(epoch, signers):
    return [p.sign(epoch) for p in signers]


def test_a_key_needs_its_dealer_and_two_witnesses():
    custody.check_epoch(EPOCH, signatures(EPOCH, CAST[:3]), roster=ROSTER)
    for signers in (CAST[:2], CAST[1:4], [CAST[0], CAST[1], CAST[1]]):
        words = signatures(EPOCH, signers)
        assert code_of(custody.check_epoch, EPOCH, words, roster=ROSTER) == "epoch_unsigned"
    other = an_epoch(ROSTER, key_id=digest_of("other"))
    words = signatures(other, CAST[:3])
    assert code_of(custody.check_epoch, EPOCH, words, roster=ROSTER) == "bad_epoch"


def test_a_witness_signs_only_what_the_dealer_signed():
    custody.check_epoch_proposal(EPOCH, ME.sign(EPOCH), roster=ROSTER)
    by_other = CAST[1].sign(EPOCH)
    code = code_of(custody.check_epoch_proposal, EPOCH, by_other, roster=ROSTER)
    assert code == "epoch_unsigned"


def test_a_key_for_other_custodians_or_another_roster_is_refused():
    fewer = an_epoch(ROSTER, custodians=EPOCH.custodians[:4])
    other = an_epoch(ROSTER, roster=digest_of("other"))
    for epoch in (fewer, other):
        words = signatures(epoch, CAST[:3])
        assert code_of(custody.check_epoch, epoch, words, roster=ROSTER) == "bad_epoch"


# Partials


def a_partial(custodian, payload=b"payload", **changes):
    facts = {
        "task": TASK,
        "round": MANIFEST.round,
        "bank": custodian.bank,
        "index": EPOCH.index_of(custodian.bank),
        "proposal": a_proposal(CAST, MANIFEST).hash(),
        "aggregate": digest_of("aggregate"),
        "payload": sha256(payload).hexdigest(),
        "boxes": tuple(Box(p.bank, digest_of("box")) for p in CAST),
    }
    return PartialHeader(**{**facts, **changes})


def check_partial(signed, payload=b"payload"):
    return custody.check_partial(
        signed,
        payload,
        certificate=certified(CAST),
        aggregate=digest_of("aggregate"),
        epoch=EPOCH,
        roster=ROSTER,
    )


def test_a_partial_is_one_custodians_word_on_the_certified_sum():
    header = a_partial(CAST[1])
    assert check_partial(CAST[1].sign(header)) == header
    for signer, wrong in (
        (CAST[1], a_partial(CAST[1], index=1)),
        (CAST[2], header),
        (CAST[1], a_partial(CAST[1], proposal=digest_of("other"))),
        (CAST[1], a_partial(CAST[1], aggregate=digest_of("other"))),
    ):
        assert code_of(check_partial, signer.sign(wrong)) == "bad_partial"
    assert code_of(check_partial, CAST[1].sign(header), b"another payload") == "bad_partial"


# The log


def test_a_log_that_shrinks_or_forks_is_not_cosigned():
    leaves = [digest_of(str(i)) for i in range(9)]

    def head(entries):
        return TreeHead(len(entries), merkle_root(entries), entries[-1], NOW)

    last, new = head(leaves[:5]), head(leaves)
    custody.check_head_continues(new, last=None)
    custody.check_head_continues(new, last=last, proof=consistency_proof(leaves, 5))
    custody.check_head_continues(last, last=last)
    assert code_of(custody.check_head_continues, last, last=new) == "log_shrank"
    forked = [digest_of("fork"), *leaves[1:]]
    proof = consistency_proof(forked, 5)
    assert (
        code_of(custody.check_head_continues, head(forked), last=last, proof=proof)
        == "bad_log_proof"
    )
