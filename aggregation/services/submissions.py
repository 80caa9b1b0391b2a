"""Taking a bank's encrypted contribution, once, against a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aggregation import keys
from aggregation.models import Round, Submission
from aggregation.refusals import Contradicts, NotHere, TooLate
from aggregation.services import freezing, ledger, rounds
from aggregation.services.protocols import protocol_of
from aggregation.services.rounds import manifest_of
from consortium.accounts import audit
from consortium.accounts.actors import node
from consortium.accounts.models import Bank
from consortium.protocol import custody
from consortium.protocol.envelope import Signed, digest, unframe
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.receipts import EMPTY_LOG, submission_facts
from consortium.protocol.spec import Manifest, Receipt, SubmissionHeader
from consortium.protocol.wire import Json

PROOF_ALLOWANCE = 64 * 1024
KEPT_FOR_ABSENT_BANKS = timedelta(days=7)


@dataclass(frozen=True)
class Accepted:
    """The signed receipt, and whether this call was the one that earned it."""

    receipt: Json
    new: bool


def largest_body(round_: Round) -> int:
    """Bytes of the largest frame that a submission to this round can be."""
    return protocol_of(round_).body_bytes(round_, manifest_of(round_)) + PROOF_ALLOWANCE


def submit(*, bank: Bank, round_: Round, body: bytes) -> Accepted:
    """Check and keep a bank's upload; its receipt is written in the same transaction.

    The same bytes again give the same receipt, at any time. Refused: another body
    (``Contradicts``), a round that is over (``TooLate``), anything that breaks the protocol.
    """
    manifest = manifest_of(round_)
    if str(bank.pk) not in manifest.members:
        raise NotHere
    body_hash = digest(body)
    if earlier := _earlier(round_, bank, body_hash):
        return earlier
    _require_open(round_)
    header = _checked(round_, manifest, bank, body)
    with transaction.atomic():
        row = rounds.locked(round_.pk)
        if earlier := _earlier(row, bank, body_hash):
            return earlier
        _require_open(row)
        if Submission.objects.filter(ciphertexts_hash=header.ciphertexts).exists():
            raise Refused(
                "copied_ciphertexts", gettext_noop("These ciphertexts have been submitted before.")
            )
        receipt = _keep(row, bank, header, body, body_hash)
    freezing.freeze_if_due(round_id=round_.pk)
    return Accepted(receipt, new=True)


def _earlier(round_: Round, bank: Bank, body_hash: str) -> Accepted | None:
    known = Submission.objects.filter(round=round_, bank=bank).first()
    if known is None:
        return None
    if known.body_hash != body_hash:
        raise Contradicts(
            "submitted_already",
            gettext_noop("This bank has submitted something else to this round; that one counts."),
        )
    return Accepted(known.receipt, new=False)


def _require_open(round_: Round) -> None:
    collecting = round_.phase == Round.Phase.COLLECTING
    if not collecting or round_.deadline <= timezone.now():
        raise TooLate(
            "round_closed", gettext_noop("The round takes no more submissions; wait for the next.")
        )


def _checked(round_: Round, manifest: Manifest, bank: Bank, body: bytes) -> SubmissionHeader:
    """The header of an upload in which everything is as the manifest asks."""
    head, blobs = unframe(body, largest_body(round_))
    if len(blobs) != 2:
        raise Refused(
            "bad_submission", gettext_noop("A submission holds a closed vector and one proof.")
        )
    body_part, proof = blobs
    signed = Signed.from_wire(head)
    if signed.signer != str(bank.pk):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    header = custody.check_submission(
        signed, body_part, proof, manifest=manifest, roster=rounds.roster_of(round_)
    )
    protocol = protocol_of(round_)
    expected = protocol.body_bytes(round_, manifest)
    if len(body_part) != expected:
        raise Refused(
            "wrong_count",
            gettext_noop(
                "The round takes %(count)s values in %(expected)s bytes; %(got)s bytes came."
            ),
            count=manifest.length,
            expected=expected,
            got=len(body_part),
        )
    protocol.check(round_, manifest, str(bank.pk), body_part, proof)
    return header


def _keep(row: Round, bank: Bank, header: SubmissionHeader, body: bytes, body_hash: str) -> Json:
    now = timezone.now()
    facts = Receipt(
        task=header.task,
        round=header.round,
        bank=header.bank,
        submission=header.hash(),
        log_index=0,
        entry=EMPTY_LOG,
        received_at=int(now.timestamp()),
    )
    entry = ledger.append(event="submission", facts=submission_facts(facts))
    receipt = Receipt(**{**vars(facts), "log_index": entry.index, "entry": entry.hash})
    signed = keys.signed(receipt).to_wire()
    Submission.objects.create(
        round=row,
        bank=bank,
        body=body,
        body_hash=body_hash,
        size=len(body),
        hash=header.hash(),
        ciphertexts_hash=header.ciphertexts,
        receipt=signed,
        log_index=entry.index,
        received_at=now,
    )
    audit.record(actor=node(bank), verb="round.submitted", target=row, submission=header.hash())
    return signed


def empty_bodies() -> int:
    """Forget the ciphertexts of rounds that are over and that every member has derived."""
    emptied = 0
    over = Submission.objects.exclude(body=b"").exclude(round__state__in=rounds.LIVE)
    ended = Round.objects.filter(pk__in=over.values("round")).defer("aggregate")
    for round_ in ended.select_related("run__roster"):
        unfinished = round_.state == Round.State.OPENED and (
            round_.derived.count() < len(rounds.readers_of(round_))
            and round_.finished_at is not None
            and timezone.now() - round_.finished_at < KEPT_FOR_ABSENT_BANKS
        )
        if not unfinished:
            emptied += Submission.objects.filter(round=round_).update(body=b"")
    return emptied
