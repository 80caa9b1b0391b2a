from __future__ import annotations

import dataclasses
import itertools
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.protocol import masking, secagg
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.packing import WORDS
from consortium.protocol.secagg_messages import (
    Advertisement,
    ReleasedShare,
    RoundSecrets,
    Session,
    SharePair,
)

BANKS = tuple(str(uuid.UUID(int=number)) for number in range(1, 6))
TASK, ROUND = str(uuid.UUID(int=101)), str(uuid.UUID(int=202))
GROUP_KEY = bytes(range(32))


class Sum:
    """Five banks that have begun a session, each with its vector."""

    def __init__(self, *, words="k24w32", length=40, banks=BANKS, threshold=4, seed=1):
        self.session = Session(TASK, ROUND, banks, threshold, words, length)
        self.secrets, self.public, pairs = {}, {}, {}
        for bank in banks:
            self.secrets[bank], self.public[bank], pairs[bank] = secagg.begin(self.session, bank)
        self.held = {
            bank: {owner: pairs[owner][place] for owner in banks}
            for place, bank in enumerate(banks)
        }
        random, largest = np.random.default_rng(seed), WORDS[words].largest
        self.vectors = {
            bank: random.integers(-largest, largest + 1, length, dtype=np.int64) for bank in banks
        }

    def masked(self, *banks):
        return {
            bank: secagg.mask(
                self.session,
                bank,
                self.secrets[bank],
                self.public,
                GROUP_KEY,
                self.vectors[bank],
            )
            for bank in banks
        }

    def released(self, survivors, by=None):
        return [
            share
            for bank in by or survivors
            for share in secagg.release(self.session, bank, self.held[bank], survivors)
        ]

    def opened(self, masked, released, group_key=GROUP_KEY):
        return secagg.open_sum(self.session, self.public, masked, released, group_key)

    def expected(self, survivors):
        return sum(self.vectors[bank] for bank in survivors).tolist()


@pytest.fixture(scope="module")
def five():
    return Sum()


def refused(code):
    return pytest.raises(ProtocolRefused, check=lambda refusal: refusal.code == code)


# Sums


@pytest.mark.parametrize("words", WORDS)
def test_masks_cancel_and_the_sum_is_exact(words):
    masked_sum = Sum(words=words)
    opened = masked_sum.opened(masked_sum.masked(*BANKS), masked_sum.released(BANKS))
    assert opened.dtype == np.int64
    assert opened.tolist() == masked_sum.expected(BANKS)


@settings(deadline=None, max_examples=15)
@given(
    st.integers(3, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(n // 2 + 1, n), st.integers(1, 9))
    ),
    st.sampled_from(list(WORDS)),
    st.randoms(use_true_random=False),
)
def test_any_members_may_drop_out_while_the_threshold_remains(shape, words, random):
    count, threshold, length = shape
    banks = tuple(str(uuid.UUID(int=number)) for number in range(1, count + 1))
    masked_sum = Sum(words=words, length=length, banks=banks, threshold=threshold)
    survivors = random.sample(banks, random.randint(threshold, count))
    releasing = random.sample(survivors, threshold)
    opened = masked_sum.opened(
        masked_sum.masked(*survivors), masked_sum.released(survivors, by=releasing)
    )
    assert opened.tolist() == masked_sum.expected(survivors)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_values_at_the_bound_do_not_wrap(words, sign):
    masked_sum = Sum(words=words, length=3)
    for bank in BANKS:
        masked_sum.vectors[bank][:] = sign * WORDS[words].largest
    opened = masked_sum.opened(masked_sum.masked(*BANKS), masked_sum.released(BANKS))
    assert opened.tolist() == [5 * sign * WORDS[words].largest] * 3


def test_256_banks_at_the_bound_fit_a_word():
    for layout in WORDS.values():
        assert 256 * layout.largest < 1 << (layout.slot_bits - 1)


def test_a_vector_longer_than_a_chunk_of_the_stream_is_masked_throughout():
    masked_sum = Sum(length=70_001)
    masked = masked_sum.masked(*BANKS[:4])
    opened = masked_sum.opened(masked, masked_sum.released(BANKS[:4]))
    assert opened.tolist() == masked_sum.expected(BANKS[:4])


# Who learns what


def test_a_masked_vector_looks_uniform():
    masked_sum = Sum(length=4000)
    for bank in BANKS:
        masked_sum.vectors[bank][:] = 0
    (vector,) = masked_sum.masked(BANKS[0]).values()
    ones = np.unpackbits(vector.view(np.uint8)).reshape(-1, 8).sum(axis=0)
    assert (np.abs(ones / (4 * 4000) - 0.5) < 0.03).all()  # seven standard deviations
    assert len(np.unique(vector)) > 3990


def test_without_the_group_key_the_opened_shares_do_not_give_the_sum(five):
    with refused("sum_out_of_range"):
        five.opened(five.masked(*BANKS), five.released(BANKS), group_key=bytes(32))


@pytest.mark.parametrize("cheat", BANKS[1:3])
def test_two_banks_with_one_seed_have_masks_of_their_own(cheat):
    """One mask for both, added or taken away, would leave the lowest bit of the sum bare."""
    masked_sum = Sum()
    session, seed = masked_sum.session, masked_sum.secrets[BANKS[0]].seed
    keys = {secagg._own_key(session, bank, seed, GROUP_KEY) for bank in (BANKS[0], cheat)}
    assert len(keys) == 2


def test_a_bank_s_own_mask_needs_its_seed_and_the_group_key(five):
    seed = five.secrets[BANKS[0]].seed
    keys = {
        secagg._own_key(five.session, BANKS[0], one, group)
        for one in (seed, "00" * 32)
        for group in (GROUP_KEY, bytes(32))
    }
    assert len(keys) == 4


def test_fewer_shares_than_the_threshold_open_nothing(five):
    masked = five.masked(*BANKS)
    for releasing in itertools.combinations(BANKS, 3):
        with refused("too_few_shares"):
            five.opened(masked, five.released(BANKS, by=releasing))


def test_a_bank_alone_in_a_list_is_not_opened(five):
    for survivors in ([BANKS[0]], BANKS[:3]):
        with refused("too_few_members"):
            secagg.release(five.session, BANKS[1], five.held[BANKS[1]], survivors)
        with refused("too_few_members"):
            five.opened(five.masked(*survivors), [])


def test_a_duplicated_member_does_not_fill_a_list(five):
    with refused("too_few_members"):
        secagg.release(five.session, BANKS[1], five.held[BANKS[1]], [*BANKS[:3], BANKS[0]])


def test_a_vector_that_comes_late_stays_hidden_by_its_own_mask(five):
    """The absent bank's key is out; without its seed its vector is still masked."""
    late = five.masked(BANKS[4])[BANKS[4]]
    shares = [s for s in five.released(BANKS[:4]) if s.owner == BANKS[4]]
    assert {share.kind for share in shares} == {"key"}
    key = secagg._recover(
        five.session,
        five.public[BANKS[4]],
        {five.session.members.index(s.holder) + 1: int(s.share, 16) for s in shares},
        alive=False,
    )
    for other in BANKS[:4]:
        shared = masking.agree(
            masking.private_key(bytes.fromhex(key)), bytes.fromhex(five.public[other].mask_key)
        )
        pair = masking.derive(shared, five.session.context, f"pair {other} {BANKS[4]}")
        masking.add_masks(late, [pair])
    assert (late.view(np.int32) != five.vectors[BANKS[4]]).all()
    own = bytes.fromhex(five.secrets[BANKS[4]].seed) + GROUP_KEY
    masking.add_masks(late, subtract=[masking.derive(own, five.session.context, f"own {BANKS[4]}")])
    assert late.view(np.int32).tolist() == five.vectors[BANKS[4]].tolist()


@pytest.mark.parametrize("first", [BANKS, BANKS[:4]], ids=["in then out", "out then in"])
def test_a_bank_never_releases_both_shares_of_one_bank(five, first):
    second = BANKS[:4] if first is BANKS else BANKS
    before = secagg.release(five.session, BANKS[0], five.held[BANKS[0]], first)
    with refused("both_shares"):
        secagg.release(five.session, BANKS[0], five.held[BANKS[0]], second, before)
    again = secagg.release(five.session, BANKS[0], five.held[BANKS[0]], first, before)
    assert again == before


def test_a_share_of_the_wrong_kind_is_refused_at_opening(five):
    released = five.released(BANKS[:4])
    masked = five.masked(*BANKS)
    with refused("both_shares"):
        five.opened(masked, released)


def test_another_session_has_other_masks():
    one = Sum()
    other = dataclasses.replace(one.session, round=str(uuid.UUID(int=203)))
    vector = np.zeros(40, np.int64)
    bank = BANKS[0]
    masked = [
        secagg.mask(session, bank, one.secrets[bank], one.public, GROUP_KEY, vector)
        for session in (one.session, other)
    ]
    assert (masked[0] != masked[1]).all()


# Faults, named


def test_a_share_other_than_the_one_committed_to_names_its_owner(five):
    pair = five.held[BANKS[1]][BANKS[0]]
    secagg.accept(five.session, BANKS[1], five.public[BANKS[0]], pair)
    strange = five.held[BANKS[2]][BANKS[0]]
    for forged in (
        dataclasses.replace(pair, key=strange.key),
        dataclasses.replace(pair, seed=strange.seed),
        strange,
        five.held[BANKS[1]][BANKS[2]],
    ):
        with pytest.raises(ProtocolRefused, match=f"{BANKS[0]} sent shares"):
            secagg.accept(five.session, BANKS[1], five.public[BANKS[0]], forged)


def test_a_false_share_released_names_its_holder(five):
    released = five.released(BANKS)
    released[7] = dataclasses.replace(released[7], share=released[8].share)
    with pytest.raises(ProtocolRefused, match=f"{released[7].holder} released a share"):
        five.opened(five.masked(*BANKS), released)


@pytest.mark.parametrize("absent", [False, True], ids=["seed", "key"])
def test_shares_that_do_not_fit_together_name_their_owner(absent):
    masked_sum = Sum()
    cheat = BANKS[4] if absent else BANKS[0]
    field = "mask_key" if absent else "seed"
    other, _, _ = secagg.begin(masked_sum.session, cheat)
    public = (
        masking.public_key(bytes.fromhex(other.mask_key)).hex()
        if absent
        else masked_sum.public[BANKS[1]].seed
    )
    masked = masked_sum.masked(*BANKS[:4])
    masked_sum.public[cheat] = dataclasses.replace(masked_sum.public[cheat], **{field: public})
    with pytest.raises(ProtocolRefused, match=f"{cheat} gave out do not fit"):
        masked_sum.opened(masked, masked_sum.released(BANKS[:4]))


def test_an_offset_added_to_a_masked_vector_changes_the_sum_only_by_that_offset(five):
    """Masks hide but do not bind: that is why every bank re-adds the *signed* vectors."""
    masked = five.masked(*BANKS)
    masked[BANKS[2]][0] += np.uint32(5)
    opened = five.opened(masked, five.released(BANKS))
    assert opened[0] == five.expected(BANKS)[0] + 5


def test_a_mask_key_of_small_order_names_its_owner():
    masked_sum = Sum()
    masked_sum.public[BANKS[3]] = dataclasses.replace(
        masked_sum.public[BANKS[3]], mask_key="00" * 32
    )
    with pytest.raises(ProtocolRefused, match=f"mask key of bank {BANKS[3]}"):
        masked_sum.masked(BANKS[0])


def test_an_advertisement_with_shares_for_others_is_refused(five):
    forged = dataclasses.replace(five.public[BANKS[0]], shares=five.public[BANKS[0]].shares[:-1])
    with refused("malformed_advertisement"):
        secagg.accept(five.session, BANKS[1], forged, five.held[BANKS[1]][BANKS[0]])


def test_missing_or_swapped_advertisements_are_refused(five):
    for forged in (
        {bank: five.public[bank] for bank in BANKS[:3]},
        five.public | {str(uuid.UUID(int=9)): five.public[BANKS[1]]},
        five.public | {BANKS[0]: five.public[BANKS[1]]},
    ):
        with refused("malformed_advertisement"):
            secagg.open_sum(five.session, forged, five.masked(*BANKS), [], GROUP_KEY)


def test_strangers_take_no_part(five):
    stranger = str(uuid.UUID(int=99))
    with refused("not_a_member"):
        secagg.begin(five.session, stranger)
    with refused("not_a_member"):
        secagg.release(five.session, BANKS[0], five.held[BANKS[0]], [*BANKS, stranger])
    share = dataclasses.replace(five.released(BANKS)[0], holder=stranger)
    with refused("not_a_member"):
        five.opened(five.masked(*BANKS), [share])


def test_a_bank_releases_the_shares_it_holds_and_no_others(five):
    held = {owner: pair for owner, pair in five.held[BANKS[0]].items() if owner != BANKS[3]}
    released = secagg.release(five.session, BANKS[0], held, BANKS)
    assert [share.owner for share in released] == [bank for bank in BANKS if bank != BANKS[3]]


def test_a_member_that_never_advertised_is_no_part_of_the_masks(five):
    """It may have gone before the masks; the four others sum without it and without its shares."""
    there, away = BANKS[:4], BANKS[4]
    five.public.pop(away)
    for bank in there:
        five.held[bank].pop(away)
    opened = five.opened(five.masked(*there), five.released(there))
    assert opened.tolist() == five.expected(there)
    with refused("not_a_member"):
        five.opened(five.masked(*there) | {away: five.masked(BANKS[0])[BANKS[0]]}, [])
    stray = ReleasedShare(away, BANKS[0], "seed", "0" * 132)
    with refused("not_a_member"):
        five.opened(five.masked(*there), [stray])


@pytest.mark.parametrize(
    "values",
    [np.zeros(39, np.int64), np.zeros(40), np.zeros((1, 40), np.int64)],
    ids=["short", "floats", "matrix"],
)
def test_a_vector_of_another_form_is_refused(five, values):
    with refused("malformed_vector"):
        secagg.mask(five.session, BANKS[0], five.secrets[BANKS[0]], five.public, GROUP_KEY, values)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_value_that_could_wrap_the_sum_is_refused(five, sign):
    values = np.zeros(40, np.int64)
    values[3] = sign * (WORDS["k24w32"].largest + 1)
    with refused("value_out_of_range"):
        secagg.mask(five.session, BANKS[0], five.secrets[BANKS[0]], five.public, GROUP_KEY, values)


def test_a_masked_vector_of_another_form_names_its_bank(five):
    for forged in (np.zeros(39, np.uint32), np.zeros(40, np.uint64)):
        masked = five.masked(*BANKS) | {BANKS[1]: forged}
        with pytest.raises(ProtocolRefused, match=f"vector of bank {BANKS[1]}"):
            five.opened(masked, five.released(BANKS))


@pytest.mark.parametrize(
    "change",
    [
        {"members": BANKS[:2], "threshold": 2},
        {"members": BANKS[::-1]},
        {"members": (BANKS[0], *BANKS)},
        {"threshold": 2},
        {"threshold": 6},
        {"words": "k16b24"},
        {"length": 0},
    ],
    ids=repr,
)
def test_a_session_that_could_not_hold_its_promise_is_refused(five, change):
    with pytest.raises(ProtocolRefused):
        dataclasses.replace(five.session, **change)


# On the wire


@pytest.mark.parametrize(("words", "bits"), [("k16w24", 19), ("k24w32", 27), ("k56w64", 59)])
def test_five_banks_send_three_bits_beside_a_value(words, bits):
    """Sums of words that crossed narrowed are those of the whole words."""
    masked_sum = Sum(words=words, length=41)
    session, crossed = masked_sum.session, {}
    for bank, vector in masked_sum.masked(*BANKS).items():
        blob = secagg.to_bytes(session, vector)
        assert len(blob) == session.body_bytes == 41 * (bits // 8) + 6 * 3
        crossed[bank] = secagg.from_bytes(session, blob)
    opened = masked_sum.opened(crossed, masked_sum.released(BANKS))
    assert opened.tolist() == masked_sum.expected(BANKS)


def test_records_cross_the_wire(five):
    share = five.released(BANKS)[0]
    for record, kind in (
        (five.session, Session),
        (five.public[BANKS[0]], Advertisement),
        (five.held[BANKS[0]][BANKS[1]], SharePair),
        (five.secrets[BANKS[0]], RoundSecrets),
        (share, ReleasedShare),
    ):
        assert kind.from_wire(record.to_wire()) == record


def test_secrets_do_not_show_themselves(five):
    secrets, pair = five.secrets[BANKS[0]], five.held[BANKS[0]][BANKS[1]]
    assert repr(secrets) == "RoundSecrets()"
    assert pair.key not in repr(pair)
    assert pair.seed not in repr(pair)
