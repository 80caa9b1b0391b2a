"""Passing on partial decryptions that the centre cannot read, and comparing the banks' results."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from aggregation.models import Derived, Partial, PublishedSum, Round, SealedPartial
from aggregation.refusals import Contradicts, NotHere, TooLate
from aggregation.services import ledger, rounds, runs
from aggregation.services.protocols import protocol_of
from aggregation.services.rounds import manifest_of, roster_of
from consortium.accounts import audit
from consortium.accounts.actors import node, system
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed, digest, unframe, verify
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.sealing import OVERHEAD_BYTES
from consortium.protocol.spec import METRICS, DerivedResult, Epoch, PartialHeader, Step

State, Phase = Round.State, Round.Phase
HEADER_ALLOWANCE = 64 * 1024


def largest_partial(round_: Round) -> int:
    """Bytes of the largest frame that a custodian can send in this round."""
    payload = protocol_of(round_).payload_bytes(round_, manifest_of(round_))
    banks = len(roster_of(round_).banks)
    return banks * (payload + OVERHEAD_BYTES) + HEADER_ALLOWANCE


@transaction.atomic
def keep_partial(*, bank: Bank, round_: Round, body: bytes) -> Round:
    """Keep a custodian's boxes for their recipients; enough of them let the banks derive."""
    row = rounds.locked(round_.pk)
    _require_reader(row, bank)
    known = Partial.objects.filter(round=row, bank=bank).first()
    if known:
        if known.body_hash != digest(body):
            raise Contradicts(
                "opened_already", gettext_noop("This custodian has given its partial already.")
            )
        return row
    opening = Phase.OPENING in protocol_of(row).phases
    if not opening or row.phase not in {Phase.OPENING, Phase.DERIVING}:
        raise TooLate(
            "not_opening", gettext_noop("The round does not wait for partial decryptions.")
        )
    signed, boxes = _checked_boxes(row, bank, body)
    partial = Partial.objects.create(
        round=row, bank=bank, header=signed.to_wire(), body_hash=digest(body)
    )
    SealedPartial.objects.bulk_create(
        SealedPartial(partial=partial, recipient_id=recipient, box=box)
        for recipient, box in boxes.items()
    )
    if row.partials.count() >= protocol_of(row).needed(manifest_of(row)):
        Round.objects.filter(pk=row.pk, phase=Phase.OPENING).update(phase=Phase.DERIVING)
    audit.record(actor=node(bank), verb="round.partial_given", target=row)
    row.refresh_from_db()
    return row


def _checked_boxes(row: Round, bank: Bank, body: bytes) -> tuple[Signed, dict[str, bytes]]:
    head, blobs = unframe(body, largest_partial(row))
    signed, roster = Signed.from_wire(head), roster_of(row)
    header = verify(signed, PartialHeader, roster.verify_key(str(bank.pk)))
    index = Epoch.from_wire(row.run.epoch.body).index_of(str(bank.pk))
    if (signed.signer, header.bank, header.index) != (str(bank.pk), str(bank.pk), index):
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    if (header.round, header.proposal) != (str(row.pk), row.proposal_hash):
        raise ProtocolRefused(
            "other_round", gettext_noop("The partial decryption belongs to another round.")
        )
    if header.aggregate != row.aggregate_hash:
        raise ProtocolRefused(
            "other_sum", gettext_noop("The custodian opened another sum than the certified one.")
        )
    sent = tuple((box.bank, box.box) for box in header.boxes)
    readers = rounds.readers_of(row)
    if len(blobs) != len(readers) or sent != tuple(zip(readers, map(digest, blobs), strict=True)):
        raise ProtocolRefused(
            "bad_boxes",
            gettext_noop("There must be one sealed box for each bank that the sum is for."),
        )
    return signed, dict(zip(readers, blobs, strict=True))


def _require_reader(row: Round, bank: Bank) -> None:
    """Nobody opens, or derives from, a sum that is not for it."""
    readers = rounds.readers_of(row) if row.proposal else roster_of(row).banks
    if str(bank.pk) not in readers:
        raise NotHere


@transaction.atomic
def keep_derived(*, bank: Bank, round_: Round, signed: Signed) -> Round:
    """Keep what a bank derived; t equal results open the round, two different ones dispute it."""
    row = rounds.locked(round_.pk)
    _require_reader(row, bank)
    derived = _checked_result(row, bank, signed)
    known, new = Derived.objects.get_or_create(
        round=row, bank=bank, defaults={"signed": signed.to_wire(), "result": derived.result}
    )
    if _said(known) != (derived.result, derived.next):
        raise Contradicts(
            "derived_already", gettext_noop("This bank has signed another result of this round.")
        )
    if new:
        _compare(row, derived)
        audit.record(actor=node(bank), verb="round.derived", target=row, result=derived.result)
        row.refresh_from_db()
    return row


def _checked_result(row: Round, bank: Bank, signed: Signed) -> DerivedResult:
    derived = verify(signed, DerivedResult, roster_of(row).verify_key(str(bank.pk)))
    if signed.signer != str(bank.pk) or derived.bank != signed.signer:
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    if (derived.round, derived.proposal) != (str(row.pk), row.proposal_hash):
        raise ProtocolRefused("other_round", gettext_noop("The result belongs to another round."))
    if row.phase not in {Phase.DERIVING, Phase.OVER} or row.state == State.ABANDONED:
        raise TooLate("not_deriving", gettext_noop("The round does not wait for results."))
    length = manifest_of(row).length if row.step == METRICS else None
    if (None if derived.values is None else len(derived.values)) != length:
        raise Refused(
            "wrong_values",
            gettext_noop("The opened sum is published in metrics rounds only, and whole."),
        )
    return derived


def _compare(row: Round, derived: DerivedResult) -> None:
    results = [_said(one) for one in row.derived.all()]
    if len(set(results)) > 1:
        _dispute(row)
    elif row.state == State.FROZEN and len(results) >= manifest_of(row).threshold:
        _open(row, derived)


def _said(known: Derived) -> tuple[str, Step | None]:
    """What a bank derived, and the step that it asks for next: both must be everybody's."""
    word = DerivedResult.from_wire(Signed.from_wire(known.signed).body)
    return word.result, word.next


def _dispute(row: Round) -> None:
    disputed = Round.objects.filter(pk=row.pk, state__in=[State.FROZEN, State.OPENED]).update(
        state=State.DISPUTED,
        phase=Phase.OVER,
        reason=gettext_noop("The banks derived different results from one sum."),
        finished_at=timezone.now(),
    )
    if disputed:
        row.refresh_from_db()
        runs.round_over(round_=row)
        ledger.append(event="disputed", facts={"task": str(row.run.task_id), "round": str(row.pk)})
        audit.record(actor=system("rounds"), verb="round.disputed", target=row)


def _open(row: Round, derived: DerivedResult) -> None:
    opened = Round.objects.filter(pk=row.pk, state=State.FROZEN, phase=Phase.DERIVING).update(
        state=State.OPENED,
        phase=Phase.OVER,
        result=derived.result,
        following=derived.next.to_wire() if derived.next else None,
        finished_at=timezone.now(),
    )
    if opened != 1:
        raise rounds.moved_on()
    row.refresh_from_db()
    if derived.values is not None:
        banks = len(rounds.proposal_of(row).banks)
        PublishedSum.objects.create(round=row, values=list(derived.values), banks=banks)
    facts = {"task": derived.task, "round": derived.round, "proposal": derived.proposal}
    ledger.append(event="opened", facts={**facts, "result": derived.result})
    runs.round_over(round_=row)
    ledger.sign_head()
    audit.record(actor=system("rounds"), verb="round.summed", target=row, result=row.result)
