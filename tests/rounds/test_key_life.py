"""A key from its ceremony to its end: rotation, a member that leaves, a roster proposed twice."""

from __future__ import annotations

import pytest

from aggregation.models import KeyEpoch, Round, SealedShare, Task
from aggregation.selectors import progress
from aggregation.services import epochs, rosters, runs
from aggregation.services.rounds import proposal_of
from banks import keys
from banks.models import ProtocolAct, ProtocolLease, RoundPart, Transaction
from banks.selectors import privacy
from banks.services.rounds import agreement, ceremony, destroying
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
        assert destroying.destroy_old_shares(Node(bank)) == 1
        assert keys.share(bank.slug, first) is None
        with bank_scope(bank.pk):
            [gone] = privacy.destroyed(bank)
        assert (gone.row.what, str(gone.row.subject)) == ("share", first), "the ledger shows it"
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
    assert destroying.destroy_old_shares(Node(kiku)) == 1
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


def lose_share(bank: Bank) -> None:
    """Its file is gone, and so is the sealed copy at the centre."""
    for epoch in keys.held_shares(bank.slug):
        keys.destroy_share(bank.slug, epoch)
    SealedShare.objects.filter(bank=bank).update(box=b"")


def test_a_run_survives_lost_shares_while_enough_are_left_and_then_stops_clearly(
    consortium: Consortium,
) -> None:
    ume, kiku, ran = (consortium.join(slug, n, rows=300) for n, slug in enumerate(SLUGS[:3]))
    task = consortium.agree()
    Task.objects.update(lease_seconds=1)
    lose_share(ran)
    run = consortium.run()
    for _ in range(30):
        for bank in consortium.banks:
            consortium.step(bank)
        first = run.rounds.get(number=0)
        if first.state == Round.State.OPENED:
            break
    assert first.state == Round.State.OPENED, "two of three open, and the third contributed"
    assert str(ran.pk) in proposal_of(first).banks

    lose_share(kiku)
    for _ in range(8):
        for bank in consortium.banks:
            consortium.step(bank)
    stopped = run.rounds.get(number=1)
    assert (stopped.state, stopped.phase) == (Round.State.FROZEN, Round.Phase.OPENING)
    with bank_scope(kiku.pk):
        assert "share of the key is gone" in ProtocolLease.objects.get().last_error
    found = progress.run_progress(run.pk)
    assert found is not None
    assert found.live is not None
    assert found.live.nobody_left_to_ask, "the run's page says what to do"

    with pytest.raises(Refused, match="stop it"):
        epochs.rotate_epoch(actor=OPERATOR, epoch=KeyEpoch.objects.get())
    runs.stop_run(actor=OPERATOR, run=run)
    epochs.rotate_epoch(actor=OPERATOR, epoch=KeyEpoch.objects.get())
    new_key([ume, kiku, ran], str(task.pk))
    again = consortium.run()
    assert str(again.epoch_id) != str(run.epoch_id)
    with bank_scope(kiku.pk):
        assert Transaction.objects.exists()
        assert RoundPart.objects.get(round=first.pk).derived
