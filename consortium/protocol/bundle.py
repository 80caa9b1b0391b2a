"""A bank's evidence that it was counted, as one file that proves itself offline.

``make_bundle`` writes it, ``verify_bundle`` reads it with nothing but public keys: every line is
checked against the lines before it, so that a changed byte is found and located.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from consortium.protocol.custody import check_certificate
from consortium.protocol.envelope import (
    COORDINATOR,
    Signed,
    VerifyKey,
    canonical,
    parse,
    verify,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.merkle import merkle_root
from consortium.protocol.receipts import (
    CosignedHead,
    LogEntry,
    TreeHead,
    check_cosignature,
    check_entry,
    check_head,
    freeze_facts,
    submission_facts,
)
from consortium.protocol.roster import Roster, SignedRoster, check_successor
from consortium.protocol.spec import FreezeCertificate, Manifest, Receipt, SubmissionHeader
from consortium.protocol.wire import Json


@dataclass(frozen=True)
class Fault:
    """The first thing wrong with a bundle: line from 1, byte offset of that line, what it is."""

    line: int
    offset: int
    sentence: str


@dataclass(frozen=True)
class CountedRound:
    """A round that this bank has a receipt for. ``frozen`` says that the list includes it."""

    round: str
    log_index: int
    frozen: bool
    protocol: str


@dataclass(frozen=True)
class BundleReport:
    """What a bundle proves. ``cosigners`` signed a head that covers every receipt in it."""

    entries: int
    rounds: tuple[CountedRound, ...]
    cosigners: tuple[str, ...]
    fault: Fault | None

    @property
    def ok(self) -> bool:
        return self.fault is None


def make_bundle(
    *,
    bank: str,
    coordinator: VerifyKey,
    rosters: Iterable[SignedRoster],
    entries: Iterable[LogEntry],
    manifests: Iterable[Signed],
    submissions: Iterable[Signed],
    receipts: Iterable[Signed],
    certificates: Iterable[FreezeCertificate],
    heads: Iterable[CosignedHead],
) -> bytes:
    """A bank's evidence as one file: a canonical JSON object a line, the last line counts them.

    ``entries`` is the whole log, ``rosters`` whole chains (one task after the other); ``manifests``
    are the centre's; ``submissions`` (``SubmissionHeader``) and ``receipts`` this bank's own.
    """
    items: list[tuple[str, Json]] = [
        ("bundle", {"bank": bank, "coordinator": coordinator.text}),
        *(("roster", roster.to_wire()) for roster in rosters),
        *(("entry", {"entry": entry.to_wire(), "hash": entry.hash()}) for entry in entries),
        *(("manifest", manifest.to_wire()) for manifest in manifests),
        *(("submission", submission.to_wire()) for submission in submissions),
        *(("receipt", receipt.to_wire()) for receipt in receipts),
        *(("certificate", certificate.to_wire()) for certificate in certificates),
        *(("head", head.to_wire()) for head in heads),
    ]
    items.append(("end", {"lines": len(items) + 1}))
    return b"".join(canonical({"item": item, "value": value}) + b"\n" for item, value in items)


def verify_bundle(bundle: bytes, *, bank: str, coordinator: VerifyKey) -> BundleReport:
    """Check a bank's evidence from its bytes alone; the first fault is located, never raised.

    ``bank`` is whose evidence it should be; ``coordinator`` the key that its members' rosters name.
    """
    checker = _BundleChecker(bank, coordinator)
    *lines, rest = bundle.split(b"\n")
    line = offset = 0
    try:
        for line, text in enumerate(lines, start=1):
            checker.take(line, text)
            offset += len(text) + 1
        if rest:
            line += 1
            raise _broken_bundle(_("The file ends in the middle of a line."))
        checker.finish()
    except ProtocolRefused as refused:
        return checker.report(Fault(line, offset, str(refused)))
    return checker.report(None)


@dataclass
class _BundleChecker:
    """Reads a bundle line by line, each against the lines before it."""

    bank: str
    coordinator: VerifyKey
    rosters: dict[str, list[Roster]] = field(default_factory=dict)
    entries: list[LogEntry] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    submissions: set[str] = field(default_factory=set)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    cosigners: set[str] = field(default_factory=set)
    ended: bool = False

    def take(self, line: int, text: bytes) -> None:
        content = parse(text)
        if not isinstance(content, dict) or set(content) != {"item", "value"}:
            raise _broken_bundle(_("The line is not an item of a bundle."))
        if canonical(content) != text or self.ended:
            raise _broken_bundle(_("The line is not written as a bundle writes it."))
        item, value = content["item"], content["value"]
        if (item == "bundle") is not (line == 1):
            raise _broken_bundle(_("A bundle begins with its heading, once."))
        if item == "bundle":
            if value != {"bank": self.bank, "coordinator": self.coordinator.text}:
                raise _broken_bundle(_("The bundle belongs to another bank or another centre."))
        elif item == "end":
            if value != {"lines": line}:
                raise _broken_bundle(_("Lines are missing from the bundle."))
            self.ended = True
        else:
            takers = {
                "roster": self._roster,
                "entry": self._entry,
                "manifest": self._manifest,
                "submission": self._submission,
                "receipt": self._receipt,
                "certificate": self._certificate,
                "head": self._head,
            }
            if item not in takers:
                raise _broken_bundle(_("The line is not an item of a bundle."))
            takers[item](value)

    def finish(self) -> None:
        if not self.ended:
            raise _broken_bundle(_("Lines are missing from the bundle."))
        promised = {receipt.submission for receipt in self.receipts.values()}
        if promised != self.submissions:
            raise _broken_bundle(_("A submission lacks its receipt, or a receipt its submission."))

    def report(self, fault: Fault | None) -> BundleReport:
        closed_by = {one.round: one.protocol for one in self.manifests.values()}
        rounds = tuple(
            CountedRound(one.round, one.log_index, one.round in self.frozen, closed_by[one.round])
            for one in self.receipts.values()
        )
        return BundleReport(len(self.entries), rounds, tuple(sorted(self.cosigners)), fault)

    def _roster(self, value: object) -> None:
        signed = SignedRoster.from_wire(value)
        chain = self.rosters.setdefault(signed.roster.task, [])
        check_successor(signed, chain[-1] if chain else None)
        if signed.roster.coordinator_key != self.coordinator.text:
            raise _broken_bundle(_("The roster names another centre."))
        chain.append(signed.roster)

    def _entry(self, value: object) -> None:
        if not isinstance(value, dict) or set(value) != {"entry", "hash"}:
            raise _broken_bundle(_("The line is not an item of a bundle."))
        entry = LogEntry.from_wire(value["entry"])
        if entry.hash() != value["hash"]:
            raise _broken_bundle(_("The log entry was altered."))
        check_entry(entry, self.entries[-1] if self.entries else None)
        self.entries.append(entry)
        self.hashes.append(entry.hash())

    def _manifest(self, value: object) -> None:
        manifest = verify(_by_the_centre(value), Manifest, self.coordinator)
        self.manifests[manifest.hash()] = manifest

    def _submission(self, value: object) -> None:
        signed = Signed.from_wire(value)
        header = SubmissionHeader.from_wire(signed.body)
        verify(signed, SubmissionHeader, self._roster_of(header.manifest).verify_key(self.bank))
        if signed.signer != self.bank or header.bank != self.bank:
            raise _broken_bundle(_("The submission is another bank's."))
        self.submissions.add(header.hash())

    def _receipt(self, value: object) -> None:
        receipt = verify(_by_the_centre(value), Receipt, self.coordinator)
        if receipt.bank != self.bank or receipt.submission not in self.submissions:
            raise _broken_bundle(_("The receipt is for another submission."))
        promised = ("submission", submission_facts(receipt), receipt.entry)
        logged = self.entries[receipt.log_index : receipt.log_index + 1]
        if [(entry.event, entry.facts, entry.hash()) for entry in logged] != [promised]:
            raise _broken_bundle(_("The log does not hold what the receipt promises."))
        self.receipts[receipt.round] = receipt

    def _certificate(self, value: object) -> None:
        certificate = FreezeCertificate.from_wire(value)
        proposal = certificate.proposal
        check_certificate(certificate, self._roster_of(proposal.manifest))
        facts = freeze_facts(proposal)
        if not any(entry.event == "freeze" and entry.facts == facts for entry in self.entries):
            raise _broken_bundle(_("The log does not hold this freeze list."))
        receipt = self.receipts.get(proposal.round)
        listed = {(item.bank, item.submission) for item in proposal.contributions}
        if receipt and (self.bank, receipt.submission) not in listed:
            raise _broken_bundle(_("The freeze list leaves out a submission that has a receipt."))
        self.frozen.add(proposal.round)

    def _head(self, value: object) -> None:
        cosigned = CosignedHead.from_wire(value)
        head = check_head(cosigned.head, self.coordinator)
        if not 0 < head.size <= len(self.entries):
            raise _broken_bundle(_("The log is shorter than its head says."))
        known = self.hashes[: head.size]
        if (head.root, head.last) != (merkle_root(known), known[-1]):
            raise _broken_bundle(_("The log's head does not fit its entries."))
        signers = {self._check_cosigner(signed, head) for signed in cosigned.cosignatures}
        if all(receipt.log_index < head.size for receipt in self.receipts.values()):
            self.cosigners |= signers

    def _check_cosigner(self, signed: Signed, head: TreeHead) -> str:
        """The signer, who may have signed with the key of any roster version that lists it."""
        keys = {
            member.signing_key
            for chain in self.rosters.values()
            for roster in chain
            for member in roster.members
            if member.bank == signed.signer
        }
        for position, key in enumerate(sorted(keys), start=1):
            try:
                check_cosignature(signed, head, VerifyKey(key))
            except ProtocolRefused:
                if position == len(keys):
                    raise
            else:
                return signed.signer
        raise _broken_bundle(_("A log head is cosigned by a stranger."))

    def _roster_of(self, manifest_hash: str) -> Roster:
        manifest = self.manifests.get(manifest_hash)
        if manifest is not None:
            for roster in self.rosters.get(manifest.task, []):
                if roster.hash() == manifest.roster:
                    return roster
        raise _broken_bundle(_("The manifest or the roster that this line rests on is missing."))


def _by_the_centre(value: object) -> Signed:
    signed = Signed.from_wire(value)
    if signed.signer != COORDINATOR:
        raise _broken_bundle(_("The line must be signed by the centre."))
    return signed


def _broken_bundle(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("broken_bundle", sentence)
