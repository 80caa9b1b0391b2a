"""Carrying what members give newcomers: requests, boxes that the centre cannot open, verdicts."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from aggregation import keys
from aggregation.models import Gift, TrainingRun
from aggregation.refusals import Contradicts, NotHere, TooLate
from aggregation.selectors import gifts as selectors
from aggregation.services import ledger, rosters
from consortium.accounts import audit
from consortium.accounts.actors import node
from consortium.accounts.models import Bank
from consortium.protocol import gifts
from consortium.protocol.envelope import Signed, unframe, verify
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.gifts import GiftReceipt, GiftRequest, GiftVerdict
from consortium.protocol.roster import Roster
from consortium.protocol.wire import Json

FRAME_ALLOWANCE = 64 * 1024
KEPT = timedelta(days=1)


@transaction.atomic
def ask(*, bank: Bank, signed: Signed) -> Gift:
    """Keep a newcomer's request to a fellow member; the same request again is the same row."""
    claimed = GiftRequest.from_wire(signed.body)
    run = next((run for run in selectors.missed_runs(bank) if str(run.pk) == claimed.run), None)
    if run is None or selectors.subject_of(run) != claimed.subject:
        raise NotHere
    roster = _newest_roster(run)
    request = gifts.check_request(signed, me=claimed.peer, newest=roster)
    if signed.signer != str(bank.pk) or request.peer not in roster.banks:
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    kept, new = Gift.objects.get_or_create(
        request_hash=request.hash(),
        defaults={
            "run": run,
            "subject": request.subject,
            "recipient": bank,
            "giver_id": request.peer,
            "request": signed.to_wire(),
        },
    )
    if new:
        audit.record(actor=node(bank), verb="gift.asked", target=run, giver=request.peer)
    return kept


@transaction.atomic
def give(*, bank: Bank, request_hash: str, body: bytes) -> Json:
    """Keep a peer's box and answer with the receipt; the same box again, the same receipt."""
    row = _locked(request_hash, giver=bank)
    head, blobs = unframe(body, gifts.LARGEST_BOX + FRAME_ALLOWANCE)
    if len(blobs) != 1:
        raise Refused("bad_gift", gettext_noop("A gift is one sealed box."))
    if row.signed is not None:
        if row.signed != head:
            raise Contradicts(
                "given_already", gettext_noop("This bank has answered the request otherwise.")
            )
        return dict(row.receipt or {})
    if row.accepted is not None:
        raise TooLate("gift_late", gettext_noop("The newcomer has asked another bank by now."))
    request = GiftRequest.from_wire(row.request["body"])
    newest = _newest_roster(row.run)
    gift = gifts.check_gift(Signed.from_wire(head), blobs[0], request=request, newest=newest)
    receipt = _receipt(gift)
    Gift.objects.filter(pk=row.pk, signed__isnull=True).update(
        signed=head,
        box=blobs[0],
        box_bytes=len(blobs[0]),
        receipt=receipt,
        given_at=timezone.now(),
    )
    audit.record(actor=node(bank), verb="gift.given", target=row.run, recipient=gift.recipient)
    return receipt


@transaction.atomic
def judge(*, bank: Bank, request_hash: str, signed: Signed) -> Gift:
    """Keep the newcomer's verdict on an answer, or on silence, and forget the box."""
    row = _locked(request_hash, recipient=bank)
    key = _newest_roster(row.run).verify_key(str(bank.pk))
    verdict = verify(signed, GiftVerdict, key)
    request = GiftRequest.from_wire(row.request["body"])
    expected = (request.hash(), request.bank, request.peer, request.subject)
    if signed.signer != str(bank.pk) or expected != (
        verdict.request,
        verdict.bank,
        verdict.peer,
        verdict.subject,
    ):
        raise Contradicts("other_gift", gettext_noop("The verdict is about another gift."))
    if row.accepted not in (None, verdict.accept):
        raise Contradicts("judged_already", gettext_noop("This bank has said otherwise."))
    if row.accepted is None:
        Gift.objects.filter(pk=row.pk, accepted=None).update(
            verdict=signed.to_wire(), accepted=verdict.accept, judged_at=timezone.now(), box=b""
        )
        facts = {"task": verdict.task, "verdict": verdict.hash(), "accept": verdict.accept}
        ledger.append(event="gift-verdict", facts=facts)
        audit.record(
            actor=node(bank),
            verb="gift.accepted" if verdict.accept else "gift.refused",
            target=row.run,
            giver=verdict.peer,
            reason=verdict.reason,
        )
        row.refresh_from_db()
    return row


def empty_boxes() -> int:
    """Forget boxes that nobody has opened in a day."""
    old = Q(given_at__lt=timezone.now() - KEPT)
    return Gift.objects.filter(old).exclude(box=b"").update(box=b"")


def _locked(request_hash: str, **whose: Bank) -> Gift:
    row = (
        Gift.objects.select_for_update(of=("self",))
        .select_related("run__task")
        .filter(request_hash=request_hash, **whose)
        .first()
    )
    if row is None:
        raise NotHere
    return row


def _newest_roster(run: TrainingRun) -> Roster:
    active = rosters.active_roster(run.task)
    if active is None:
        raise NotHere
    return Roster.from_wire(active.body)


def _receipt(gift: gifts.Gift) -> Json:
    entry = ledger.append(event="gift", facts=gifts.gift_facts(gift))
    receipt = GiftReceipt(
        task=gift.task,
        giver=gift.giver,
        gift=gift.hash(),
        log_index=entry.index,
        entry=entry.hash,
        received_at=int(timezone.now().timestamp()),
    )
    return keys.signed(receipt).to_wire()
