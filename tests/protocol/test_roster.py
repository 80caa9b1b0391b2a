from __future__ import annotations

from dataclasses import replace

import pytest

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.roster import (
    Numbers,
    Roster,
    SignedRoster,
    sign_roster,
    signatures_needed,
    verify_roster_chain,
)
from tests.cast import TASK, Player, digest_of, first_roster, player, players

CAST = players(5)
FIRST = first_roster(CAST)


def successor(members: list[Player], signers: list[Player], before: SignedRoster = FIRST):
    roster = Roster(
        TASK,
        before.roster.version + 1,
        before.roster.hash(),
        before.roster.coordinator_key,
        tuple(p.member for p in sorted(members, key=lambda p: p.bank)),
    )
    return SignedRoster(
        roster, tuple(sign_roster(roster, bank=p.bank, key=p.signing) for p in signers)
    )


def code_of(chain: list[SignedRoster]) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        verify_roster_chain(chain)
    str(refused.value)
    return refused.value.code


def test_founders_all_sign_and_later_a_majority_does():
    newcomer = player("Newcomer")
    second = successor([*CAST, newcomer], CAST[:3])
    assert verify_roster_chain([FIRST]) == FIRST.roster
    assert verify_roster_chain([FIRST, second]) == second.roster
    assert signatures_needed(FIRST.roster, None) == 5
    assert signatures_needed(second.roster, FIRST.roster) == 3
    assert SignedRoster.from_wire(second.to_wire()) == second


def test_a_first_roster_without_every_founder_is_refused():
    lacking = SignedRoster(FIRST.roster, FIRST.signatures[:4])
    assert code_of([lacking]) == "roster_unsigned"
    twice = SignedRoster(FIRST.roster, (*FIRST.signatures[:4], FIRST.signatures[0]))
    assert code_of([twice]) == "roster_unsigned"


def test_a_minority_cannot_enrol_anyone():
    assert code_of([FIRST, successor([*CAST, player("Newcomer")], CAST[:2])]) == "roster_unsigned"


def test_newcomers_have_no_say_in_their_own_admission():
    invented = [player(f"Invented {i}") for i in range(5)]
    assert code_of([FIRST, successor([*CAST, *invented], [*CAST[:2], *invented])]) == "not_a_member"


def test_a_signature_of_another_version_is_refused():
    second = successor(CAST[:4], CAST[:3])
    other = successor([*CAST, player("Newcomer")], CAST[:3])
    mixed = SignedRoster(second.roster, other.signatures)
    assert code_of([FIRST, mixed]) == "bad_roster"


def test_a_removed_bank_has_no_say_afterwards():
    without = successor(CAST[:4], CAST[:3])
    third = successor(CAST[:3], [CAST[4], *CAST[:2]], before=without)
    assert code_of([FIRST, without, third]) == "not_a_member"


def test_a_chain_has_no_gap_and_begins_at_one():
    second = successor(CAST[:4], CAST[:3])
    third = successor(CAST, CAST[:3], before=second)
    assert verify_roster_chain([FIRST, second, third]).version == 3
    for chain in ([], [second], [FIRST, third], [FIRST, FIRST], [FIRST, second, second]):
        assert code_of(chain) == "bad_roster"


@pytest.mark.parametrize(
    "change",
    [
        {"members": FIRST.roster.members[:2]},
        {"members": FIRST.roster.members[::-1]},
        {"members": (FIRST.roster.members[0], *FIRST.roster.members[:4])},
        {"previous": digest_of("earlier")},
        {"version": 2},
        {"coordinator_key": FIRST.roster.members[0].signing_key},
        {
            "members": (
                replace(FIRST.roster.members[0], sealing_key=FIRST.roster.members[1].sealing_key),
                *FIRST.roster.members[1:],
            )
        },
    ],
    ids=["two", "unordered", "twice", "previous", "orphan", "centre is a bank", "shared key"],
)
def test_a_roster_that_contradicts_itself_is_refused(change):
    with pytest.raises(ProtocolRefused, match=r"\w"):
        replace(FIRST.roster, **change)


def test_the_numbers_of_the_design():
    assert Numbers.of(5) == Numbers(5, threshold=3, colluders=2, quorum=4, minimum_cohort=4)
    assert Numbers.of(3) == Numbers(3, threshold=2, colluders=1, quorum=3, minimum_cohort=3)


@pytest.mark.parametrize("banks", range(3, 40))
def test_two_certificates_share_an_honest_bank_and_a_quorum_exists(banks):
    n = Numbers.of(banks)
    assert 2 * n.quorum - banks > n.colluders
    assert n.colluders < n.threshold <= n.quorum <= banks
    assert n.minimum_cohort - n.colluders >= 2
    assert n.minimum_cohort <= banks
