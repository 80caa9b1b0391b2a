from __future__ import annotations

import pytest

from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.shared_key import LARGEST_VECTOR, SharedKey

KEY = SharedKey.generate(512, allow_small=True)


def test_one_hand_opens_a_sum_and_every_single_upload():
    randomisers = paillier.Randomisers(KEY.public)
    uploads = [paillier.encrypt([number], KEY.public, randomisers.draw(1)) for number in (20, 22)]
    assert KEY.open(paillier.add(uploads, KEY.public)) == [42]
    assert [KEY.open(upload) for upload in uploads] == [[20], [22]]


def test_it_stays_in_the_laboratory():
    with pytest.raises(ProtocolRefused, match="for the laboratory"):
        KEY.open([2] * (LARGEST_VECTOR + 1))
    with pytest.raises(ProtocolRefused, match="at least 2048"):
        SharedKey.generate(512)


def test_it_opens_no_malformed_ciphertext():
    with pytest.raises(ProtocolRefused, match="not between"):
        KEY.open([0])


def test_it_does_not_show_itself():
    assert repr(KEY) == f"<SharedKey {KEY.public.key_id[:12]}>"


def test_the_whole_key_crosses_sealed_and_opens_the_same():
    key = SharedKey.generate(256, allow_small=True)
    again = SharedKey.from_wire(key.to_wire(), allow_small=True)
    ciphertext = [int(key._private.public_key.raw_encrypt(42))]
    assert again.open(ciphertext) == key.open(ciphertext) == [42]


@pytest.mark.parametrize("p", ["f", "2f", "0"])
def test_a_key_of_other_than_two_primes_is_refused(p):
    with pytest.raises(ProtocolRefused):
        SharedKey.from_wire({"p": p, "q": "2f"}, allow_small=True)
