"""Coming and going: invitations, rosters that the members sign, keys for each roster."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from aggregation import keys
from aggregation.models import BankInvitation, KeyEpoch, RosterVersion, SealedShare
from aggregation.services import enrolment, epochs, rosters
from consortium.accounts.models import AuditEntry, Bank
from consortium.protocol.envelope import Signed, SigningKey, verify
from consortium.protocol.errors import Refused
from consortium.protocol.spec import JoinAnswer
from tests.aggregation.conftest import (
    OPERATOR,
    active,
    compared,
    founded,
    invited,
    joined,
    with_key,
)
from tests.aggregation.nodes import play
from tests.protocol.keys import shared_key

pytestmark = pytest.mark.django_db


def code_of(call, **kwargs) -> str:
    with pytest.raises(Refused) as refused:
        call(**kwargs)
    str(refused.value)
    return refused.value.code


# Joining


def test_a_bank_joins_once_with_its_own_keys():
    node, text = invited("New Bank")
    assert text.split(".")[1] not in str(list(BankInvitation.objects.values()))
    answer = node.join(text)
    joined_ = verify(Signed.from_wire(answer.json()), JoinAnswer, keys.verify_key())
    assert (joined_.bank, joined_.name) == (node.bank, "New Bank")
    bank = Bank.objects.get(pk=node.bank)
    assert bank.status == Bank.Status.JOINED
    assert bytes(bank.signing_key).hex() == node.signing.verify_key.text
    again = node.join(text)  # the answer was lost
    assert again.status_code == 201
    node.signing = SigningKey.generate()
    thief = node.join(text)
    assert (thief.status_code, thief.json()["code"]) == (422, "invitation_closed")


def test_an_expired_renewed_or_foreign_invitation_is_closed():
    node, text = invited("New Bank")
    other, other_text = invited("Other Bank")
    fresh = enrolment.renew_invitation(actor=OPERATOR, bank=Bank.objects.get(pk=node.bank))
    for wrong in (text, other_text, f"{node.bank}.nothing", f"{other.bank}.{fresh.split('.')[1]}"):
        answer = node.join(wrong)
        assert answer.json()["code"] == "invitation_closed"
    BankInvitation.objects.update(expires_at=timezone.now())
    assert node.join(fresh).json()["code"] == "invitation_closed"
    assert not Bank.objects.filter(status=Bank.Status.JOINED).exists()


def test_a_key_that_another_bank_uses_is_refused():
    first = joined("First")
    node, text = invited("Second")
    node.signing = first.signing
    assert node.join(text).status_code == 409


def test_an_invitation_needs_a_free_short_name():
    enrolment.invite_bank(actor=OPERATOR, name="One")
    assert code_of(enrolment.invite_bank, actor=OPERATOR, name="One") == "bank_exists"
    assert code_of(enrolment.invite_bank, actor=OPERATOR, name=" ") == "name_missing"
    assert code_of(enrolment.invite_bank, actor=OPERATOR, name="銀行") == "name_missing"
    assert enrolment.invite_bank(actor=OPERATOR, name="銀行", slug="ginko")[0].slug == "ginko"


def test_leaving_needs_a_reason_and_the_right_state():
    bank = Bank.objects.get(pk=joined("One").bank)
    suspend = enrolment.suspend_bank
    assert code_of(suspend, actor=OPERATOR, bank=bank, reason=" ") == "reason_missing"
    suspend(actor=OPERATOR, bank=bank, reason="drill")
    assert code_of(suspend, actor=OPERATOR, bank=bank, reason="drill") == "bank_state"
    enrolment.reinstate_bank(actor=OPERATOR, bank=bank, reason="over")
    enrolment.remove_bank(actor=OPERATOR, bank=bank, reason="left")
    assert AuditEntry.objects.filter(verb="bank.removed", facts__reason="left").exists()


# Rosters


def test_founders_all_sign_the_first_roster():
    consortium = founded(3)
    assert active(consortium.task).version == 1
    assert set(Bank.objects.values_list("status", flat=True)) == {Bank.Status.ACTIVE}


def test_a_roster_is_not_valid_before_its_majority(five):
    newcomer = compared(joined("Newcomer"))
    banks = Bank.objects.filter(pk__in=[n.bank for n in (*five.nodes, newcomer)])
    rosters.propose_roster(actor=OPERATOR, task=five.task, banks=banks)
    task = str(five.task.pk)
    assert newcomer.sign_roster(task, 2).status_code == 422
    for node in five.nodes[:2]:
        assert node.sign_roster(task, 2).json()["state"] == "proposed"
    assert five.nodes[0].sign_roster(task, 2).status_code == 201  # again: still two
    assert active(five.task).version == 1
    assert five.nodes[2].sign_roster(task, 2).json()["state"] == "active"
    assert active(five.task).version == 2
    assert five.nodes[3].sign_roster(task, 2).status_code == 201  # late, and kept


def test_a_signature_for_another_version_is_not_counted(five):
    newcomer = compared(joined("Newcomer"))
    banks = Bank.objects.filter(pk__in=[n.bank for n in (*five.nodes, newcomer)])
    rosters.propose_roster(actor=OPERATOR, task=five.task, banks=banks)
    old = active(five.task).signatures.first()
    answer = five.node(old.bank_id).post(f"tasks/{five.task.pk}/roster/2/signature", old.signed)
    assert answer.status_code == 422
    assert RosterVersion.objects.get(version=2).signatures.count() == 0


def test_proposals_that_make_no_sense_are_refused(five):
    members = Bank.objects.filter(pk__in=[node.bank for node in five.nodes])
    propose = rosters.propose_roster
    assert code_of(propose, actor=OPERATOR, task=five.task, banks=members) == "same_members"
    assert code_of(propose, actor=OPERATOR, task=five.task, banks=members[:2]) == "bad_roster"
    suspended = five.bank(five.nodes[0])
    enrolment.suspend_bank(actor=OPERATOR, bank=suspended, reason="drill")
    assert code_of(propose, actor=OPERATOR, task=five.task, banks=members) == "bank_not_ready"
    able = members.exclude(pk=suspended.pk)
    propose(actor=OPERATOR, task=five.task, banks=able)
    assert code_of(propose, actor=OPERATOR, task=five.task, banks=able) == "roster_pending"
    rosters.withdraw_roster(actor=OPERATOR, task=five.task)
    assert active(five.task).version == 1


def test_a_new_roster_needs_a_new_key_and_the_newcomer_takes_part(five):
    newcomer = compared(joined("Newcomer"))
    everybody = sorted([*five.nodes, newcomer], key=lambda node: node.bank)
    banks = Bank.objects.filter(pk__in=[node.bank for node in everybody])
    rosters.propose_roster(actor=OPERATOR, task=five.task, banks=banks)
    play(five.nodes, only={"sign_roster"})
    assert code_of(five.start) == "no_key"
    waiting = [node for node in everybody if "ceremony" in {d.duty for d in node.duties()}]
    assert len(waiting) == 1


def test_a_removed_bank_is_left_out_of_the_next_run(five):
    gone = five.nodes[0]
    enrolment.suspend_bank(actor=OPERATOR, bank=five.bank(gone), reason="drill")
    run = five.start()
    members = run.rounds.get().manifest["body"]["members"]
    assert gone.bank not in members
    assert len(members) == 4
    play(five.nodes[1:], only={"submit", "sign_freeze", "open", "derive"})
    assert run.rounds.get(number=0).state == "opened"


def test_too_few_able_banks_cannot_start_a_run(five):
    for node in five.nodes[:2]:
        enrolment.suspend_bank(actor=OPERATOR, bank=five.bank(node), reason="drill")
    assert code_of(five.start) == "too_few_members"


# Keys


def publication(consortium, name="2-of-3", **changes):
    dealer = consortium.nodes[0]
    task = str(consortium.task.pk)
    _epoch, message = dealer.epoch_message(task, str(uuid.uuid4()), shared_key(name))
    return dealer, f"tasks/{task}/epochs", {**message, **changes}


def test_a_key_is_used_only_after_two_witnesses():
    consortium = founded(3)
    dealer, path, message = publication(consortium)
    made = dealer.post(path, message).json()
    assert made["state"] == "proposed"
    assert code_of(consortium.start) == "no_key"
    first, second = consortium.nodes[1:]
    assert first.witness(made["epoch"]).json()["state"] == "proposed"
    assert first.witness(made["epoch"]).json()["state"] == "proposed"
    assert second.witness(made["epoch"]).json()["state"] == "active"
    assert consortium.start()


def test_shares_other_than_the_named_ones_are_refused():
    consortium = founded(3)
    dealer, path, message = publication(consortium)
    swapped = dict(zip(message["shares"], reversed(message["shares"].values()), strict=True))
    for shares in (swapped, {}, {**message["shares"], str(uuid.uuid4()): "ab"}):
        answer = dealer.post(path, {**message, "shares": shares})
        assert answer.json()["code"] == "bad_shares"
    for malformed in ({"shares": []}, {"biprimality": "x"}, {"extra": 1}):
        assert dealer.post(path, {**message, **malformed}).status_code == 422
    assert not KeyEpoch.objects.exists()


def test_a_small_key_is_refused_outside_tests(settings):
    consortium = founded(3)
    settings.ALLOW_SMALL_KEYS = False
    dealer, path, message = publication(consortium)
    assert dealer.post(path, message).json()["code"] == "key_too_small"


def test_there_is_one_key_for_a_roster_until_it_is_discarded():
    consortium = founded(3)
    dealer, path, message = publication(consortium)
    made = dealer.post(path, message)
    assert dealer.post(path, message).json() == made.json()  # the same again
    _dealer, _path, other = publication(consortium)
    assert dealer.post(path, other).json()["code"] == "key_exists"
    epochs.discard_epoch(actor=OPERATOR, epoch=KeyEpoch.objects.get())
    assert set(SealedShare.objects.values_list("box", flat=True)) == {b""}


def test_every_custodian_gets_its_own_box_only():
    consortium = with_key(founded(3), "2-of-3")
    epoch = KeyEpoch.objects.get()
    boxes = {node.get(f"epochs/{epoch.pk}/share")["share"] for node in consortium.nodes}
    assert len(boxes) == 3
    assert {node.share.index for node in consortium.nodes} == {1, 2, 3}


def test_a_superseded_key_is_retired_and_its_boxes_emptied(five):
    old = KeyEpoch.objects.get()
    members = Bank.objects.filter(pk__in=[node.bank for node in five.nodes[1:]])
    run = five.start()
    rosters.propose_roster(actor=OPERATOR, task=five.task, banks=members)
    play(five.nodes, only={"sign_roster"})
    assert epochs.retire_epochs() == 0  # the run still needs it
    run.state, run.finished_at = "done", timezone.now() + timedelta(0)
    run.save()
    assert epochs.retire_epochs() == 1
    old.refresh_from_db()
    assert old.state == KeyEpoch.State.RETIRED
    assert not any(bytes(share.box) for share in old.shares.all())


def test_the_ceremony_is_asked_of_one_bank_and_of_another_after_a_day():
    consortium = founded(3)

    def asked() -> int:
        return sum("ceremony" in {d.duty for d in n.duties()} for n in consortium.nodes)

    assert asked() == 1
    RosterVersion.objects.update(active_at=timezone.now() - timedelta(hours=25))
    assert asked() == 2


def test_the_centres_key_is_made_once_and_readable_by_its_owner_only():
    assert keys.signing_key().to_bytes() == keys.signing_key().to_bytes()
    assert keys.key_file().stat().st_mode & 0o777 == 0o600
    assert [path.name for path in keys.key_file().parent.iterdir()] == ["signing.key"]
