"""Masked words on the wire: as many bits as a sum needs, and one way to write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.packing import MAX_CONTRIBUTORS, WORDS
from consortium.protocol.words import bytes_needed, words_from_bytes, words_to_bytes

SHORT, LONG = np.dtype(np.uint32), np.dtype(np.uint64)


def refused(code):
    return pytest.raises(ProtocolRefused, check=lambda refusal: refusal.code == code)


@st.composite
def rows(draw):
    dtype = draw(st.sampled_from([SHORT, LONG]))
    most = 8 * dtype.itemsize
    words = draw(st.lists(st.integers(0, 2**most - 1), min_size=1, max_size=40))
    return np.array(words, dtype), draw(st.integers(1, most))


@given(rows())
@example((np.array([2**64 - 1, 5], np.uint64), 64))
@example((np.array([2**32 - 1, 5], np.uint32), 32))
def test_the_low_bits_of_every_word_come_back(row):
    words, bits = row
    blob = words_to_bytes(words, bits)
    assert len(blob) == bytes_needed(len(words), bits)
    read = words_from_bytes(blob, len(words), bits, words.dtype)
    assert read.dtype == words.dtype
    assert read.tolist() == [int(word) % 2**bits for word in words]
    assert words_to_bytes(read, bits) == blob


@given(rows(), st.data())
def test_sums_of_words_that_crossed_are_right_modulo_their_bits(row, data):
    words, bits = row
    others = np.array(
        data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=len(words), max_size=len(words))),
        words.dtype,
    )
    crossed = [
        words_from_bytes(words_to_bytes(vector, bits), len(words), bits, words.dtype)
        for vector in (words, others)
    ]
    whole = words_to_bytes(words + others, bits)
    assert words_to_bytes(crossed[0] + crossed[1], bits) == whole


def test_whole_bytes_come_first_and_single_bits_after_them():
    words = np.array([0x7_0102, 0x0_A0B0, 0x5_FFFF], np.uint32)
    blob = words_to_bytes(words, 19)
    assert blob == bytes.fromhex("0102a0b0ffff") + bytes([0b10100000, 0b10000000, 0b10100000])


@pytest.mark.parametrize("bits", [19, 24, 59, 64])
def test_bytes_of_another_length_are_refused(bits):
    blob = words_to_bytes(np.arange(5, dtype=np.uint64), bits)
    for forged in (blob[:-1], blob + b"\0", b""):
        with refused("wrong_length"):
            words_from_bytes(forged, 5, bits, LONG)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_bits_beyond_the_last_word_are_refused(place):
    blob = bytearray(words_to_bytes(np.arange(5, dtype=np.uint32), 19))
    blob[-place] |= 1
    with refused("padding_used"):
        words_from_bytes(bytes(blob), 5, 19, SHORT)


@pytest.mark.parametrize("layout", WORDS.values(), ids=WORDS)
@given(count=st.integers(1, MAX_CONTRIBUTORS))
def test_a_word_holds_the_sum_of_all_members_and_no_bit_more(layout, count):
    bits = layout.sum_bits(count)
    most = count * layout.largest
    assert -(1 << (bits - 1)) <= -most < most < 1 << (bits - 1)
    assert most >= 1 << (bits - 2)
    assert bits <= layout.slot_bits
