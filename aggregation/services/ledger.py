"""Writing the log: entries in order, heads signed and cosigned."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from aggregation import keys
from aggregation.models import HeadCosignature, LogEntry, LogHead
from aggregation.refusals import NotHere
from consortium.accounts.models import Bank
from consortium.protocol import receipts
from consortium.protocol.envelope import Signed, VerifyKey
from consortium.protocol.merkle import merkle_root
from consortium.protocol.receipts import EMPTY_LOG, TreeHead
from consortium.protocol.wire import Json

_LOCK = "aggregation:log"


def lock() -> int:
    """Hold the log's end until the transaction ends; the index of the next entry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
    last = LogEntry.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def append(*, event: str, facts: Json) -> LogEntry:
    """Add one entry; part of the transaction of what it speaks of."""
    index = lock()
    previous = LogEntry.objects.filter(index=index - 1).values_list("hash", flat=True).first()
    now = timezone.now()
    entry = receipts.LogEntry(index, previous or EMPTY_LOG, event, facts, int(now.timestamp()))
    return LogEntry.objects.create(
        index=index, hash=entry.hash(), event=event, body=entry.body(), created_at=now
    )


@transaction.atomic
def sign_head() -> LogHead | None:
    """Sign the log's present state; the same head again if nothing was added. None: empty log."""
    size = lock()
    if size == 0:
        return None
    known = LogHead.objects.filter(size=size).first()
    if known:
        return known
    hashes = list(LogEntry.objects.order_by("index").values_list("hash", flat=True))
    now = timezone.now()
    head = TreeHead(size, merkle_root(hashes), hashes[-1], int(now.timestamp()))
    return LogHead.objects.create(
        size=size, hash=head.hash(), signed=keys.signed(head).to_wire(), created_at=now
    )


@transaction.atomic
def cosign(*, bank: Bank, signed: Signed) -> LogHead:
    """Keep a bank's cosignature of one of our heads."""
    word = receipts.HeadCosignature.from_wire(signed.body)
    head = LogHead.objects.filter(size=word.size, hash=word.head).first()
    if head is None or signed.signer != str(bank.pk):
        raise NotHere
    tree = TreeHead.from_wire(Signed.from_wire(head.signed).body)
    receipts.check_cosignature(signed, tree, VerifyKey(bytes(bank.signing_key).hex()))
    HeadCosignature.objects.get_or_create(
        head=head, bank=bank, defaults={"signed": signed.to_wire()}
    )
    return head
