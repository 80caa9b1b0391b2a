"""The coordinator's log as this bank watches it: cosign what continues, export what proves."""

from __future__ import annotations

from banks.models import RoundPart, TrustedRoster, WitnessedHead
from banks.services.rounds.node import Node
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.bundle import BundleReport, make_bundle, verify_bundle
from consortium.protocol.custody import check_head_continues
from consortium.protocol.envelope import Signed, VerifyKey
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.receipts import CosignedHead, LogEntry, TreeHead, check_head, cosign
from consortium.protocol.roster import SignedRoster
from consortium.protocol.spec import FreezeCertificate

PAGE = 1000


def cosign_head(node: Node) -> None:
    """Sign the log's newest head if it continues the one this bank signed last."""
    wire = node.centre.get("log/head")
    if wire is None:
        return
    served = CosignedHead.from_wire(wire)
    head = check_head(served.head, coordinator_key(node))
    last = _last(node)
    proof: list[str] = []
    if last is not None and head.size > last.size:
        proof = node.centre.get(f"log/consistency?old={last.size}&new={head.size}")["proof"]
    check_head_continues(head, last=last, proof=proof)
    with bank_scope(node.bank.pk):
        WitnessedHead.objects.get_or_create(
            bank=node.bank, size=head.size, defaults={"head": head.to_wire(), "root": head.root}
        )
    signature = cosign(head, bank=node.identity, key=node.signing_key)
    node.centre.post("log/cosignature", signature.to_wire(), purpose="log cosignature")


def _last(node: Node) -> TreeHead | None:
    with bank_scope(node.bank.pk):
        row = WitnessedHead.objects.order_by("-size").first()
    return TreeHead.from_wire(row.head) if row else None


def knows_coordinator(node: Node) -> bool:
    """Whether this bank trusts a roster yet: a newcomer has nothing to check a head against."""
    with bank_scope(node.bank.pk):
        return TrustedRoster.objects.filter(bank=node.bank).exists()


def coordinator_key(node: Node) -> VerifyKey:
    """The key that the rosters this bank trusts name for the centre."""
    with bank_scope(node.bank.pk):
        row = TrustedRoster.objects.order_by("-trusted_at").first()
    if row is None:
        raise Refused(
            "no_roster", gettext_noop("This bank has not accepted a roster of the consortium yet.")
        )
    return VerifyKey(SignedRoster.from_wire(row.signed).roster.coordinator_key)


def export_bundle(node: Node, task: str) -> bytes:
    """This bank's evidence in one file, to be verified offline with nothing but public keys."""
    entries, head = _whole_log(node)
    with bank_scope(node.bank.pk):
        parts = list(RoundPart.objects.filter(task=task, receipt__isnull=False))
    return make_bundle(
        bank=node.identity,
        coordinator=coordinator_key(node),
        rosters=[SignedRoster.from_wire(wire) for wire in node.centre.get(f"tasks/{task}/roster")],
        entries=entries,
        manifests=[Signed.from_wire(part.manifest) for part in parts],
        submissions=[Signed.from_wire(part.submission) for part in parts],
        receipts=[Signed.from_wire(part.receipt) for part in parts],
        certificates=[
            FreezeCertificate.from_wire(part.certificate) for part in parts if part.certificate
        ],
        heads=[head] if head else [],
    )


def verify(node: Node, task: str) -> BundleReport:
    """Fetch the evidence and check it, as the offline command does."""
    key = coordinator_key(node)
    return verify_bundle(export_bundle(node, task), bank=node.identity, coordinator=key)


def _whole_log(node: Node) -> tuple[list[LogEntry], CosignedHead | None]:
    entries: list[LogEntry] = []
    while True:
        page = node.centre.get(f"log?after={len(entries)}")
        entries += [LogEntry.from_wire(wire) for wire in page["entries"]]
        if len(page["entries"]) < PAGE:
            head = CosignedHead.from_wire(page["head"]) if page["head"] else None
            return entries, head
