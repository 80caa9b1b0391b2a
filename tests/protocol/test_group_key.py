"""The key that keeps a masked sum from the coordinator."""

from __future__ import annotations

import pytest

from consortium.protocol import group_key
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.group_key import GroupKey


def test_a_group_key_crosses_sealed_and_is_known_by_its_commitment():
    key = GroupKey.generate()
    assert GroupKey.from_wire(key.to_wire()) == key
    group_key.check_public({"commitment": key.commitment}, key.commitment, 256)
    group_key.check_secret(key, key.commitment)
    assert key.secret.hex() not in repr(key)


def test_a_dealer_that_gives_two_banks_two_keys_is_found_out():
    with pytest.raises(ProtocolRefused, match="not the one that was published"):
        group_key.check_secret(GroupKey.generate(), GroupKey.generate().commitment)


@pytest.mark.parametrize("wire", [{"group_key": "00"}, {"group_key": "zz"}, {}, []])
def test_a_malformed_group_key_is_refused(wire):
    with pytest.raises(ProtocolRefused):
        GroupKey.from_wire(wire)


@pytest.mark.parametrize(
    ("public", "bits"), [({"commitment": "ab" * 32}, 256), ({}, 256), (None, 128)]
)
def test_a_commitment_that_is_not_the_key_s_id_is_refused(public, bits):
    key_id = "cd" * 32
    with pytest.raises(ProtocolRefused, match="commitment"):
        group_key.check_public(public or {"commitment": key_id, "n": "1"}, key_id, bits)
