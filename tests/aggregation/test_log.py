"""A bank proves from what it fetched, offline, that it was counted."""

from __future__ import annotations

import pytest

from aggregation import keys
from aggregation.models import LogEntry, LogHead
from aggregation.selectors.log import verify_log
from aggregation.services import ledger
from consortium.protocol import merkle
from consortium.protocol.bundle import make_bundle, verify_bundle
from consortium.protocol.envelope import Signed, unframe
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.receipts import CosignedHead, TreeHead, cosign
from consortium.protocol.receipts import LogEntry as Entry
from consortium.protocol.roster import SignedRoster
from consortium.protocol.spec import FreezeCertificate
from tests.aggregation.nodes import LIMIT, Node, play

pytestmark = pytest.mark.django_db


def bundle_of(node: Node, task: str, round_id: str) -> bytes:
    log = node.get("log?after=0")
    return make_bundle(
        bank=node.bank,
        coordinator=keys.verify_key(),
        rosters=[SignedRoster.from_wire(item) for item in node.get(f"tasks/{task}/roster")],
        entries=[Entry.from_wire(item) for item in log["entries"]],
        manifests=[Signed.from_wire(node.get(f"rounds/{round_id}/manifest"))],
        submissions=[Signed.from_wire(unframe(node.bodies[round_id], LIMIT)[0])],
        receipts=[Signed.from_wire(node.submit(round_id).json())],
        certificates=[FreezeCertificate.from_wire(node.get(f"rounds/{round_id}/certificate"))],
        heads=[CosignedHead.from_wire(log["head"])],
    )


@pytest.fixture
def counted(three):
    three.start()
    play(three.nodes, only={"submit", "sign_freeze"})
    return three


def test_what_a_bank_fetched_proves_that_it_was_counted(counted):
    round_id = str(counted.round.pk)
    play(counted.nodes, only={"cosign"})
    for node in counted.nodes:
        bundle = bundle_of(node, str(counted.task.pk), round_id)
        report = verify_bundle(bundle, bank=node.bank, coordinator=keys.verify_key())
        assert report.ok, report.fault
        assert [counted_.frozen for counted_ in report.rounds] == [True]
        assert len(report.cosigners) == 3


def test_a_log_entry_changed_in_the_database_is_found_by_a_bank(counted):
    node, round_id = counted.nodes[0], str(counted.round.pk)
    row = LogEntry.objects.filter(event="submission").first()
    LogEntry.objects.filter(pk=row.pk).update(
        body={**row.body, "facts": {**row.body["facts"], "bank": counted.nodes[1].bank}}
    )
    bundle = bundle_of(node, str(counted.task.pk), round_id)
    assert not verify_bundle(bundle, bank=node.bank, coordinator=keys.verify_key()).ok


def test_proofs_fit_the_signed_head(counted):
    node = counted.nodes[0]
    head = TreeHead.from_wire(node.get("log/head")["head"]["body"])
    receipt = next(iter(node.receipts.values()))
    path = f"log/inclusion?index={receipt.log_index}&size={head.size}"
    proof = node.get(path)["proof"]
    merkle.check_inclusion(receipt.entry, receipt.log_index, head.size, proof, head.root)
    for path in (f"log/inclusion?index=0&size={head.size + 999}", "log/inclusion?index=9&size=3"):
        assert node.call("GET", path).status_code == 404


def test_a_rewritten_log_gets_no_cosignature(counted):
    """The head that a bank cosigned before binds the centre."""
    node = counted.nodes[0]
    assert node.cosign().status_code == 201
    row = LogEntry.objects.get(index=1)
    LogEntry.objects.filter(index=1).update(hash=row.hash[::-1])
    ledger.append(event="forged", facts={})
    ledger.sign_head()
    with pytest.raises(ProtocolRefused, match="does not fit"):
        node.cosign()


def test_a_cosignature_for_another_head_or_of_another_bank_is_refused(counted):
    node, other = counted.nodes[:2]
    head = TreeHead.from_wire(node.get("log/head")["head"]["body"])
    forged = TreeHead(head.size, "ab" * 32, head.last, head.created_at)
    signed = cosign(forged, bank=node.bank, key=node.signing)
    assert node.post("log/cosignature", signed.to_wire()).status_code == 404
    theirs = cosign(head, bank=other.bank, key=other.signing)
    assert node.post("log/cosignature", theirs.to_wire()).status_code == 404
    assert not LogHead.objects.filter(cosignatures__isnull=False).exists()


def test_an_unchanged_log_keeps_its_head(counted):
    first = ledger.sign_head()
    assert ledger.sign_head() == first
    assert LogHead.objects.filter(size=first.size).count() == 1


def test_an_older_head_with_a_false_root_is_found(counted):
    old = ledger.sign_head()
    ledger.append(event="later", facts={})
    ledger.sign_head()
    assert verify_log().holds
    head = TreeHead.from_wire(Signed.from_wire(old.signed).body)
    forged = TreeHead(head.size, "ab" * 32, head.last, head.created_at)
    LogHead.objects.filter(pk=old.pk).update(signed=keys.signed(forged).to_wire())
    report = verify_log()
    assert not report.holds
    assert "root" in report.fault
