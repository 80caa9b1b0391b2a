"""The number two people read to each other: six blocks of digits, one for each set of keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consortium.protocol.check_number import BLOCKS, DIGITS, check_number, first_difference

KEYS = {"bank": "b" * 36, "signing_key": "01" * 32, "sealing_key": "02" * 32}
digits = st.text("0123456789", min_size=DIGITS, max_size=DIGITS)


def test_it_is_the_same_everywhere():
    assert check_number(**KEYS) == "46135 49601 94120 38491 78160 55958"


def test_every_part_counts():
    numbers = {check_number(**KEYS)}
    for name in KEYS:
        numbers.add(check_number(**{**KEYS, name: "ff" * 32}))
    assert len(numbers) == 4


@given(st.lists(digits, min_size=BLOCKS, max_size=BLOCKS), st.integers(0, BLOCKS * DIGITS - 1))
def test_the_first_wrong_block_is_named(blocks, place):
    number = " ".join(blocks)
    assert first_difference(number, number) is None
    heard = list("".join(blocks))
    heard[place] = str((int(heard[place]) + 1) % 10)
    assert first_difference("".join(heard), number) == place // DIGITS + 1


def test_what_is_missing_or_left_over_differs():
    number = check_number(**KEYS)
    assert first_difference("", number) == 1
    assert first_difference(number[:-1], number) == BLOCKS
    assert first_difference(number + "0", number) == BLOCKS
