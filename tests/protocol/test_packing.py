from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.packing import (
    MAX_CONTRIBUTORS,
    PACKED,
    Layout,
    ciphertexts_needed,
    context_tag,
    dequantise,
    layout_named,
    pack,
    quantise,
    slots_per_ciphertext,
    unpack,
    values_per_ciphertext,
)

KEY_BITS = 512
layouts = st.sampled_from(list(PACKED.values()))
every_layout = pytest.mark.parametrize("layout", PACKED.values(), ids=PACKED)


def vectors(layout: Layout, count: int) -> st.SearchStrategy[np.ndarray]:
    return st.integers(1, 60).flatmap(
        lambda length: arrays.arrays(
            np.int64,
            (count, length),
            elements=st.one_of(
                st.sampled_from([-layout.largest, -1, 0, 1, layout.largest]),
                st.integers(-layout.largest, layout.largest),
            ),
        )
    )


def packed_sum(rows: np.ndarray, layout: Layout, tag: int = 7) -> list[int]:
    packed = [pack(row, layout=layout, key_bits=KEY_BITS, tag=tag) for row in rows]
    return [sum(column) for column in zip(*packed, strict=True)]


def opened(plaintexts: list[int], layout: Layout, length: int, contributors: int) -> np.ndarray:
    return unpack(
        plaintexts, layout=layout, key_bits=KEY_BITS, length=length, contributors=contributors
    ).values


@settings(deadline=None)
@given(st.data(), layouts, st.integers(1, 7), st.integers(0, 65535))
def test_a_sum_of_packed_vectors_is_the_vector_of_sums(data, layout, count, tag):
    rows = data.draw(vectors(layout, count))
    found = unpack(
        packed_sum(rows, layout, tag),
        layout=layout,
        key_bits=KEY_BITS,
        length=rows.shape[1],
        contributors=count,
    )
    assert found.values.tolist() == rows.sum(axis=0).tolist()
    assert (found.contributors, found.tag_sum) == (count, count * tag)


@every_layout
@pytest.mark.parametrize("sign", [-1, 1])
def test_256_banks_at_the_bound_neither_carry_nor_wrap(layout, sign):
    row = np.full(23, sign * layout.largest, np.int64)
    total = [
        MAX_CONTRIBUTORS * plaintext
        for plaintext in pack(row, layout=layout, key_bits=KEY_BITS, tag=65535)
    ]
    assert all(plaintext < 1 << (KEY_BITS - 1) for plaintext in total)
    values = opened(total, layout, 23, MAX_CONTRIBUTORS)
    assert values.tolist() == [sign * layout.largest * MAX_CONTRIBUTORS] * 23


def test_more_than_256_contributors_are_refused():
    layout = PACKED["k16b24"]
    plaintexts = pack(np.zeros(3, np.int64), layout=layout, key_bits=KEY_BITS, tag=1)
    for contributors in (0, 257, 300):
        with pytest.raises(ProtocolRefused, match="1 to 256 contributors"):
            opened(plaintexts, layout, 3, contributors)


@every_layout
def test_a_plaintext_never_reaches_the_modulus_of_any_key_of_its_length(layout):
    for key_bits in (512, 2048, 3072):
        row = np.full(values_per_ciphertext(layout, key_bits), layout.largest, np.int64)
        (plaintext,) = pack(row, layout=layout, key_bits=key_bits, tag=65535)
        assert MAX_CONTRIBUTORS * plaintext < 1 << (key_bits - 1)


def test_known_sizes_of_the_layouts():
    assert {name: values_per_ciphertext(PACKED[name], 2048) for name in PACKED} == {
        "k16b24": 83,
        "k32b40": 49,
        "k56b64": 29,
    }
    assert slots_per_ciphertext(PACKED["k16b24"], 3072) == 127
    assert ciphertexts_needed(5006, PACKED["k16b24"], 3072) == 41


def test_slots_lie_in_the_documented_order():
    layout = PACKED["k16b24"]
    (plaintext,) = pack(
        np.array([-1, 0, 5], np.int64), layout=layout, key_bits=KEY_BITS, tag=0xBEEF
    )
    text = plaintext.to_bytes(21 * 3, "big").hex()
    assert text.startswith("000001" + "00beef" + "007fff" + "008000" + "008005" + "008000")


# What must not pass


def test_another_number_of_contributors_in_any_ciphertext_is_refused():
    layout = PACKED["k16b24"]
    twice = packed_sum(np.ones((2, 40), np.int64), layout)
    once = pack(np.ones(40, np.int64), layout=layout, key_bits=KEY_BITS, tag=7)
    with pytest.raises(ProtocolRefused, match="exactly 2 contributions") as refusal:
        opened([twice[0], once[1], twice[2]], layout, 40, 2)
    assert refusal.value.code == "wrong_count"


def test_a_duplicated_upload_shows_in_the_count_slot():
    layout = PACKED["k16b24"]
    with pytest.raises(ProtocolRefused, match="exactly 2 contributions"):
        opened(packed_sum(np.ones((3, 5), np.int64), layout), layout, 5, 2)


def test_ciphertexts_of_another_context_show_in_the_tag_slot():
    layout = PACKED["k16b24"]
    mine = pack(np.ones(40, np.int64), layout=layout, key_bits=KEY_BITS, tag=7)
    other = pack(np.ones(40, np.int64), layout=layout, key_bits=KEY_BITS, tag=8)
    with pytest.raises(ProtocolRefused) as refusal:
        opened([mine[0], other[1], mine[2]], layout, 40, 1)
    assert refusal.value.code == "mixed_context"


@every_layout
def test_a_slot_beyond_what_honest_values_sum_to_is_refused(layout):
    (plaintext,) = pack(np.zeros(2, np.int64), layout=layout, key_bits=KEY_BITS, tag=7)
    room = values_per_ciphertext(layout, KEY_BITS)
    value_1 = 1 << layout.slot_bits * (room - 2)
    for forged in (plaintext + layout.bias * value_1, plaintext - layout.bias * value_1):
        with pytest.raises(ProtocolRefused) as refusal:
            opened([forged], layout, 2, 1)
        assert refusal.value.code == "slot_overflow"


def test_a_plaintext_wider_than_its_slots_is_refused():
    layout = PACKED["k16b24"]
    for plaintext in (1 << (21 * 24), -1):
        with pytest.raises(ProtocolRefused) as refusal:
            opened([plaintext], layout, 2, 1)
        assert refusal.value.code == "slot_overflow"


def test_values_hidden_in_the_padding_are_refused():
    layout = PACKED["k16b24"]
    plaintexts = pack(np.ones(4, np.int64), layout=layout, key_bits=KEY_BITS, tag=7)
    with pytest.raises(ProtocolRefused) as refusal:
        opened(plaintexts, layout, 3, 1)
    assert refusal.value.code == "padding_used"


@pytest.mark.parametrize("length", [0, -1, 20, 60])
def test_a_length_that_does_not_fit_the_plaintexts_is_refused(length):
    layout = PACKED["k16b24"]
    plaintexts = pack(np.ones(19, np.int64), layout=layout, key_bits=KEY_BITS, tag=7)
    with pytest.raises(ProtocolRefused) as refusal:
        opened(plaintexts, layout, length, 1)
    assert refusal.value.code == "wrong_length"


@every_layout
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_value_outside_the_layout_is_refused_by_its_index(layout, sign):
    row = np.array([0, sign * (layout.largest + 1)], np.int64)
    with pytest.raises(ProtocolRefused, match="Value 1 is outside"):
        pack(row, layout=layout, key_bits=KEY_BITS, tag=0)


def test_the_most_negative_integer_is_refused():
    row = np.array([np.iinfo(np.int64).min], np.int64)
    with pytest.raises(ProtocolRefused, match="Value 0 is outside"):
        pack(row, layout=PACKED["k56b64"], key_bits=KEY_BITS, tag=0)


@pytest.mark.parametrize(
    "values",
    [np.zeros(3), np.zeros((2, 2), np.int64), np.zeros(0, np.int64), np.zeros(3, np.int32)],
    ids=["floats", "matrix", "empty", "int32"],
)
def test_anything_but_a_row_of_int64_is_refused(values):
    with pytest.raises(ProtocolRefused, match="non-empty row"):
        pack(values, layout=PACKED["k16b24"], key_bits=KEY_BITS, tag=0)


@pytest.mark.parametrize("tag", [-1, 65536])
def test_a_tag_has_sixteen_bits(tag):
    with pytest.raises(ProtocolRefused, match="16 bits"):
        pack(np.ones(1, np.int64), layout=PACKED["k16b24"], key_bits=KEY_BITS, tag=tag)


def test_a_key_without_room_for_a_value_is_refused():
    with pytest.raises(ProtocolRefused, match="no room"):
        values_per_ciphertext(PACKED["k56b64"], 192)


def test_an_unknown_layout_is_refused_with_the_known_ones():
    with pytest.raises(ProtocolRefused, match="k16b24, k32b40, k56b64"):
        layout_named("k8b8")


def test_a_layout_crosses_the_wire_by_name():
    for layout in PACKED.values():
        assert Layout.from_wire(layout.to_wire()) is layout


# Fixed point


@settings(deadline=None)
@given(
    layouts,
    st.floats(1e-6, 1e6),
    arrays.arrays(np.float64, 20, elements=st.floats(-1e7, 1e7)),
)
def test_quantising_errs_by_at_most_half_a_step_inside_the_clip(layout, clip, values):
    quantised = quantise(values, clip, layout)
    back = dequantise(quantised, clip, layout)
    assert np.abs(quantised).max() <= layout.largest
    error = np.abs(back - np.clip(values, -clip, clip))
    assert error.max() <= clip / layout.largest / 2 * (1 + 1e-9) + clip * 1e-15


@every_layout
def test_the_clip_edges_and_both_zeros_map_exactly(layout):
    values = np.array([-np.inf, -2.0, -0.5, -0.0, 0.0, 0.5, 2.0])[1:]
    assert quantise(values, 0.5, layout).tolist() == [
        -layout.largest,
        -layout.largest,
        0,
        0,
        layout.largest,
        layout.largest,
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_by_their_index(bad):
    with pytest.raises(ProtocolRefused, match="Value 2 is not a finite number"):
        quantise(np.array([0.0, 1.0, bad]), 1.0, PACKED["k16b24"])


@pytest.mark.parametrize("clip", [0.0, -1.0, np.nan, np.inf])
def test_a_clip_is_positive_and_finite(clip):
    with pytest.raises(ProtocolRefused, match="positive finite"):
        quantise(np.zeros(1), clip, PACKED["k16b24"])
    with pytest.raises(ProtocolRefused, match="positive finite"):
        dequantise(np.zeros(1, np.int64), clip, PACKED["k16b24"])


def test_a_context_tag_depends_on_every_part_and_its_borders():
    tags = {context_tag(*parts) for parts in [("a", "b"), ("ab",), ("a", "c"), ("b", "a")]}
    assert len(tags) == 4
    assert all(0 <= tag < 65536 for tag in tags)
