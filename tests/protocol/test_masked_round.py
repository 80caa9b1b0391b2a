"""Everybody masks under one roll of mask keys, whatever the centre shows to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consortium.protocol import masked_round, secagg
from consortium.protocol.envelope import digest
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.masked_round import MaskAdvertisement, MaskRoll, RollEntry, roll_bytes
from consortium.protocol.spec import Box
from tests.cast import a_manifest, by_centre, first_roster, players

CAST = players(5)
ROSTER = first_roster(CAST).roster
NAMES = ROSTER.banks
BY_NAME = {player.bank: player for player in CAST}


def manifest(**changes):
    facts = {"protocol": "secagg", "layout": "k24w32", "length": 8, "ciphertexts": 0}
    return replace(a_manifest(ROSTER), **{**facts, **changes})


def advertisement(bank, of=None, **changes):
    of = of or manifest()
    _secrets, public, _pairs = secagg.begin(masked_round.session_of(of), bank)
    boxes = tuple(Box(member, digest(member.encode())) for member in of.members)
    facts = {
        "task": of.task,
        "round": of.round,
        "manifest": of.hash(),
        "advertisement": public,
        "boxes": boxes,
    }
    return MaskAdvertisement(**{**facts, **changes})


def roll_of(found, of=None, **changes):
    of = of or manifest()
    entries = tuple(RollEntry(one.advertisement.owner, one.hash()) for one in found)
    facts = {"task": of.task, "round": of.round, "manifest": of.hash(), "entries": entries}
    return MaskRoll(**{**facts, **changes})


def refused(code):
    return pytest.raises(ProtocolRefused, check=lambda refusal: refusal.code == code)


def check_advertisement(message, signer):
    signed = BY_NAME[signer].sign(message)
    return masked_round.check_advertisement(signed, manifest=manifest(), roster=ROSTER)


def test_an_advertisement_of_a_member_for_this_round_is_taken():
    found = check_advertisement(advertisement(NAMES[1]), NAMES[1])
    assert found.advertisement.owner == NAMES[1]


def test_mask_keys_of_another_round_bank_or_holder_list_are_refused():
    other = manifest(round="00000000-0000-0000-0000-0000000000ff")
    with refused("other_round"):
        check_advertisement(advertisement(NAMES[0], of=other), NAMES[0])
    with refused("bad_advertisement"):
        check_advertisement(advertisement(NAMES[0]), NAMES[1])
    with refused("bad_advertisement"):
        check_advertisement(advertisement(NAMES[0], boxes=()), NAMES[0])
    few = manifest(members=NAMES[:4])
    signed = BY_NAME[NAMES[4]].sign(advertisement(NAMES[4]))
    with refused("not_a_member"):
        masked_round.check_advertisement(signed, manifest=few, roster=ROSTER)


def test_a_roll_of_the_centre_lists_enough_members_once():
    found = [advertisement(bank) for bank in NAMES]
    check = {"manifest": manifest(), "roster": ROSTER}
    roll = masked_round.check_roll(by_centre(roll_of(found)), **check)
    assert roll.banks == NAMES
    with refused("cohort_too_small"):
        masked_round.check_roll(by_centre(roll_of(found[:3])), **check)
    for entries in (roll.entries[::-1], (*roll.entries, roll.entries[-1])):
        with refused("bad_advertisement"):
            masked_round.check_roll(by_centre(replace(roll, entries=entries)), **check)
    stranger = RollEntry("ffffffff-0000-0000-0000-000000000000", "ab" * 32)
    with refused("bad_advertisement"):
        masked_round.check_roll(
            by_centre(replace(roll, entries=(*roll.entries, stranger))), **check
        )
    with refused("other_round"):
        masked_round.check_roll(by_centre(replace(roll, manifest="ab" * 32)), **check)
    with refused("bad_signature"):
        masked_round.check_roll(BY_NAME[NAMES[0]].sign(roll), **check)


def test_mask_keys_exchanged_on_the_way_are_not_those_of_the_roll():
    found = [advertisement(bank) for bank in NAMES]
    roll = roll_of(found)
    assert set(masked_round.check_listed(roll, found)) == set(NAMES)
    for served in (found[:4], [advertisement(NAMES[0]), *found[1:]]):
        with refused("bad_advertisement"):
            masked_round.check_listed(roll, served)


def test_uploads_under_two_rolls_are_never_opened():
    """Shown a roll without bank 5, a bank would be masked against fewer than it was summed with."""
    found = [advertisement(bank) for bank in NAMES]
    one, two = (roll_bytes(by_centre(roll_of(part))) for part in (found[:4], found))
    check = {"manifest": manifest(), "roster": ROSTER}
    with refused("two_rolls"):
        masked_round.check_one_roll([one, two], own=None, **check)
    with refused("two_rolls"):
        masked_round.check_one_roll([one, one], own=digest(two), **check)
    signed = masked_round.check_one_roll([two, two], own=digest(two), **check)
    assert MaskRoll.from_wire(signed.body).banks == NAMES
