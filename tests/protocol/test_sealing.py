from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.sealing import OVERHEAD_BYTES, SealingKey, seal, seal_each, unseal
from tests.cast import player

KEY = player("Bank 0").sealing


def refused(key: SealingKey, box: bytes, context: bytes = b"here") -> bool:
    with pytest.raises(ProtocolRefused) as error:
        unseal(key, box, context)
    return error.value.code == "sealed_for_another"


@given(st.binary(), st.binary())
def test_a_box_opens_for_its_recipient_in_its_context(plaintext, context):
    box = seal(KEY.public, plaintext, context)
    assert unseal(KEY, box, context) == plaintext
    assert len(box) == len(plaintext) + OVERHEAD_BYTES


def test_a_box_does_not_open_elsewhere_or_for_another():
    box = seal(KEY.public, b"share", b"here")
    assert refused(player("Bank 1").sealing, box)
    assert refused(KEY, box, b"there")


@given(st.integers(0, OVERHEAD_BYTES + 4), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position, change):
    box = bytearray(seal(KEY.public, b"share", b"here"))
    box[position] ^= change
    assert refused(KEY, bytes(box))


def test_a_truncated_box_is_refused():
    box = seal(KEY.public, b"share", b"here")
    assert all(refused(KEY, box[:length]) for length in range(len(box)))


def test_two_boxes_of_one_text_have_nothing_in_common():
    assert seal(KEY.public, b"share", b"") != seal(KEY.public, b"share", b"")


def test_boxes_of_one_call_open_for_their_own_recipient_only():
    others = [player(f"Bank {number}").sealing for number in range(3)]
    boxes = seal_each([(key.public, b"share", b"here") for key in others])
    assert [unseal(key, box, b"here") for key, box in zip(others, boxes, strict=True)] == (
        [b"share"] * 3
    )
    assert refused(others[0], boxes[1])
    assert len({box[-21:] for box in boxes}) == 3


def test_one_call_never_closes_two_boxes_with_one_key():
    with pytest.raises(ValueError, match="used twice"):
        seal_each([(KEY.public, b"one", b""), (KEY.public.upper(), b"two", b"")])


def test_a_sealing_key_survives_its_file():
    assert SealingKey(KEY.to_bytes()).public == KEY.public
    assert SealingKey.generate().public != SealingKey.generate().public


@pytest.mark.parametrize("public", ["00" * 32, "ab", "zz" * 32])
def test_a_key_that_is_no_key_is_refused(public):
    with pytest.raises(ProtocolRefused, match="not usable"):
        seal(public, b"share", b"")
