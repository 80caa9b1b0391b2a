"""A key from its ceremony to its end: rotation, a member that leaves, a roster proposed twice."""

from __future__ import annotations

import pytest

from aggregation.models import KeyEpoch, SealedShare
from aggregation.services import epochs, rosters
from banks import keys
from banks.models import ProtocolAct
from banks.services.rounds import agreement, ceremony
from banks.services.rounds.node import Node
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.rounds.consortium import OPERATOR, Consortium, admin

SLUGS = ["ume", "kiku", "ran", "sugi"]


def sign(bank: Bank, task: str, version: int) -> None:
    agreement.sign_proposed_roster(Node(bank), task=task, version=version, actor=admin(bank))


def new_key(banks: list[Bank], task: str) -> str:
    dealer, *witnesses = banks[:3]
    epoch = ceremony.hold(Node(dealer), task=task, actor=admin(dealer))
    for bank in witnesses:
        ceremony.witness(Node(bank), epoch_id=epoch, actor=admin(bank))
    return epoch


def test_old_keys_end_everywhere_and_a_bank_that_left_gets_no_new_one(
    consortium: Consortium,
) -> None:
    ume, kiku, ran, sugi = (consortium.join(slug, n, rows=50) for n, slug in enumerate(SLUGS))
    task = consortium.agree("secagg")
    name, first = str(task.pk), str(KeyEpoch.objects.get().pk)

    epochs.rotate_epoch(actor=OPERATOR, epoch=KeyEpoch.objects.get())
    for bank in (kiku, ran):  # the dealer takes its own share with the first round
        assert keys.share(bank.slug, first) is not None
        assert agreement.destroy_old_shares(Node(bank)) == 1
        assert keys.share(bank.slug, first) is None
    with pytest.raises(Refused, match="no key yet"):
        consortium.run()
    second = new_key([ume, kiku, ran], name)

    rosters.propose_roster(actor=OPERATOR, task=task, banks=[kiku, ran, sugi])
    sign(ume, name, 2)
    rosters.withdraw_roster(actor=OPERATOR, task=task)
    rosters.propose_roster(actor=OPERATOR, task=task, banks=[ume, kiku, ran])
    with pytest.raises(Refused, match="signed another roster as version 2"):
        sign(ume, name, 2)
    for bank in (kiku, ran, sugi):  # three of four members: a majority, the one that leaves too
        sign(bank, name, 2)
    third = new_key([ume, kiku, ran], name)
    assert epochs.retire_epochs() == 1

    old, late = keys.share(kiku.slug, second), Node(sugi)
    assert old is not None
    assert agreement.destroy_old_shares(Node(kiku)) == 1
    with pytest.raises(Refused):
        late.centre.get(f"epochs/{third}")
    assert not SealedShare.objects.filter(epoch=third, bank=sugi).exists()
    for epoch in (first, second):
        boxes = SealedShare.objects.filter(epoch=epoch).values_list("box", flat=True)
        assert {bytes(box) for box in boxes} == {b""}
    run = consortium.run()
    assert str(run.epoch_id) == third
    round_ = run.rounds.get()
    with pytest.raises(Refused):
        late.centre.post_bytes(f"rounds/{round_.pk}/advertisement", b"x", purpose="old kit")
    with bank_scope(ume.pk):
        assert ProtocolAct.objects.filter(kind="roster").count() == 2
