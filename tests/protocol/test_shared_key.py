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
