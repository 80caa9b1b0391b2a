"""A malicious centre under masked sums: each of its moves, and what a coalition is left with.

The moves against threshold Paillier are in ``test_custody``; the checks are the same, and here the
round is one of masked words.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from consortium.protocol import custody, secagg
from consortium.protocol.custody import Act
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.masked_round import MaskRoll, RollEntry, check_one_roll, roll_bytes
from consortium.protocol.masking import add_masks, private_key
from consortium.protocol.spec import Contribution
from tests.cast import (
    NOW,
    a_certificate,
    a_header,
    a_manifest,
    a_proposal,
    a_receipt,
    an_epoch,
    by_centre,
    digest_of,
    first_roster,
    identifier,
    player,
    players,
)
from tests.protocol.test_secagg import BANKS, GROUP_KEY, Sum

CAST = players(5)
ROSTER = first_roster(CAST).roster
EPOCH = an_epoch(ROSTER, protocol="secagg", key_bits=256)
MASKED = {"protocol": "secagg", "layout": "k24w32", "ciphertexts": 0, "key_bits": 256}
MANIFEST = a_manifest(ROSTER, **MASKED)
ME = CAST[0]


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        call(*args, **kwargs)
    return refused.value.code


def signing(proposal, *, manifest=MANIFEST, acts=()) -> str:
    """The code with which a bank refuses to sign the list."""
    return refusal(
        custody.check_freeze,
        by_centre(proposal),
        manifest=manifest,
        roster=ROSTER,
        bank=ME.bank,
        receipt=a_receipt(ME, manifest),
        acts=acts,
    )


def giving(proposal, added, *, manifest=MANIFEST, acts=()) -> str:
    """The code with which it refuses to release shares, though a quorum signed the list."""
    headers = [a_header(one, manifest) for one in added]
    certificate = a_certificate(CAST, proposal)
    facts = {"manifest": manifest, "roster": ROSTER, "acts": acts}
    return refusal(custody.check_opening, certificate, headers, **facts)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_single_upload_and_a_small_subset_are_never_listed_nor_opened(size):
    listed = a_proposal(CAST[:size], MANIFEST)
    assert signing(listed) == "cohort_too_small"
    assert giving(listed, CAST[:size]) == "cohort_too_small"


def test_a_subset_or_another_set_than_the_certified_one_is_not_opened():
    assert giving(a_proposal(CAST, MANIFEST), CAST[:4]) == "other_sum"
    assert giving(a_proposal(CAST[:4], MANIFEST), CAST) == "other_sum"


def test_a_bank_that_is_listed_twice_is_refused():
    proposal = a_proposal(CAST, MANIFEST)
    first, second, *rest = proposal.contributions
    twice = replace(proposal, contributions=(first, first, second, *rest))
    copied = Contribution(second.bank, first.submission)
    renamed = replace(proposal, contributions=(first, copied, *rest))
    for listed in (twice, renamed):
        assert signing(listed) == "bad_freeze"
        assert giving(listed, CAST) == "bad_freeze"


def test_another_rounds_list_is_refused():
    other = a_manifest(ROSTER, **MASKED, round=identifier("other round"))
    assert signing(a_proposal(CAST, other)) == "bad_freeze"
    assert giving(a_proposal(CAST, other), CAST) == "bad_freeze"


def test_a_second_list_and_a_second_opening_are_refused():
    before = [Act.on(a_proposal(CAST, MANIFEST))]
    fewer = a_proposal(CAST[:4], MANIFEST)
    assert signing(fewer, acts=before) == "second_list"
    assert giving(fewer, CAST[:4], acts=before) == "second_list"


def test_the_same_statistic_with_one_member_fewer_is_refused():
    window = {**MASKED, "number": 0, "step": "gram", "window": "2026-W01"}
    before = [Act.on(a_proposal(CAST, a_manifest(ROSTER, **window)))]
    later = a_manifest(ROSTER, **window, run=identifier("later"), round=identifier("later round"))
    fewer = a_proposal(CAST[:4], later)
    assert signing(fewer, manifest=later, acts=before) == "other_members"
    assert giving(fewer, CAST[:4], manifest=later, acts=before) == "other_members"


def test_two_views_of_the_mask_keys_are_never_opened():
    def a_roll(word: str) -> bytes:
        entries = tuple(RollEntry(one.bank, digest_of(f"{one.bank} {word}")) for one in CAST)
        return roll_bytes(
            by_centre(MaskRoll(MANIFEST.task, MANIFEST.round, MANIFEST.hash(), entries))
        )

    one, other = a_roll("one"), a_roll("other")
    facts = {"manifest": MANIFEST, "roster": ROSTER}
    assert check_one_roll([one] * 4, **facts, own=None)
    assert refusal(check_one_roll, [one, one, other, one], **facts, own=None) == "two_rolls"
    own = digest_of("what this bank masked under")
    assert refusal(check_one_roll, [other] * 4, **facts, own=own) == "two_rolls"


def test_invented_banks_and_another_quorum_are_refused_in_the_manifest():
    stranger = player("Invented Bank").bank
    members = tuple(sorted((*ROSTER.banks, stranger)))
    for changed in (
        {"members": members},
        {"quorum": 3},
        {"minimum_cohort": 3},
        {"roster": digest_of("another roster")},
        {"key_id": digest_of("another key")},
        {"protocol": "paillier-threshold", "layout": "k16b24"},
    ):
        manifest = replace(MANIFEST, **changed)
        facts = {"roster": ROSTER, "epoch": EPOCH, "purposes": ["fraud detection"], "now": NOW}
        assert custody.check_manifest(by_centre(MANIFEST), **facts) == MANIFEST
        assert refusal(custody.check_manifest, by_centre(manifest), **facts) == "bad_manifest"


def test_a_different_model_for_one_bank_is_refused():
    derived = b"what this bank derived itself"
    manifest = a_manifest(ROSTER, **MASKED, base_model=digest_of("another"))
    assert refusal(custody.check_base_model, manifest, derived) == "other_model"


def test_an_offset_on_a_masked_vector_is_not_what_its_bank_signed():
    header = a_header(ME, MANIFEST)
    facts = {"manifest": MANIFEST, "roster": ROSTER}
    signed = ME.sign(header)
    body = b"ciphertexts of " + ME.name.encode()
    assert custody.check_submission(signed, body, b"proof", **facts) == header
    offset = bytes([body[0] ^ 1]) + body[1:]
    assert refusal(custody.check_submission, signed, offset, b"proof", **facts) == "bad_submission"
    by_the_centre = by_centre(header)
    assert refusal(custody.check_submission, by_the_centre, offset, b"proof", **facts) == (
        "not_a_member"
    )


@pytest.mark.parametrize("colluders", [BANKS[:2], BANKS[1:3], BANKS[3:]])
def test_two_of_five_banks_with_the_centre_learn_the_sum_of_the_others_only(colluders):
    """They take away every mask that they know after an honest opening; what then is left?"""
    banks = Sum(length=400)
    masked, released = banks.masked(*BANKS), banks.released(BANKS)
    assert banks.opened(masked, released).tolist() == banks.expected(BANKS)
    honest = [bank for bank in BANKS if bank not in colluders]
    left = {bank: _bared(banks, bank, masked[bank], colluders) for bank in honest}

    def shown(*of: str) -> np.ndarray:
        total = np.sum([left[bank] for bank in of], axis=0, dtype=banks.session.dtype)
        return total.astype(banks.session.dtype) & mask_of(banks)

    def truth(*of: str) -> np.ndarray:
        values = np.sum([banks.vectors[bank] for bank in of], axis=0)
        return values.astype(banks.session.dtype) & mask_of(banks)

    assert (shown(*honest) == truth(*honest)).all(), "the sum of the others, which any sum tells"
    for hidden in ([one] for one in honest):
        assert (shown(*hidden) == truth(*hidden)).mean() < 0.02
    for pair in (honest[:2], honest[1:], [honest[0], honest[2]]):
        assert (shown(*pair) == truth(*pair)).mean() < 0.02


def mask_of(banks: Sum) -> np.unsignedinteger:
    """The bits of a word that cross the wire."""
    return banks.session.dtype.type((1 << banks.session.word_bits) - 1)


def _bared(banks: Sum, bank: str, vector: np.ndarray, colluders: tuple[str, ...]) -> np.ndarray:
    """One honest vector without its own mask, which the opening tells, and the pairs known."""
    session, bared = banks.session, vector.copy()
    own = secagg._own_key(session, bank, banks.secrets[bank].seed, GROUP_KEY)
    add_masks(bared, subtract=[own])
    for colluder in colluders:
        key = private_key(bytes.fromhex(banks.secrets[colluder].mask_key))
        above, below = secagg._pair_keys(session, colluder, key, [banks.public[bank]])
        add_masks(bared, add=above, subtract=below)  # what one adds, the other had subtracted
    return bared
