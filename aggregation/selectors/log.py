"""The transparency log for people: a page of it, its heads, and the whole chain computed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aggregation import keys
from aggregation.models import LogEntry, LogHead, Round
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol import receipts
from consortium.protocol.envelope import Signed, VerifyKey
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.merkle import prefix_roots

PAGE = 50
HEADS = 10


def entries(*, before: int | None = None, event: str = "", limit: int = PAGE) -> list[LogEntry]:
    """Entries, newest first, below the index ``before``, of one event where it is named."""
    rows = LogEntry.objects.order_by("-index")
    if before is not None:
        rows = rows.filter(index__lt=before)
    return list((rows.filter(event=event) if event else rows)[:limit])


@dataclass(frozen=True)
class Line:
    """An entry for people: its bank by name, and how the sum of its round is closed."""

    entry: LogEntry
    facts: list[tuple[str, object]]
    protocol: str


def lines(found: list[LogEntry]) -> list[Line]:
    """The entries with their facts, in the reader's words where there are any."""
    names = {str(bank.pk): bank.display_name for bank in Bank.objects.all()}
    closed_by = _protocols(found)
    return [
        Line(
            entry,
            [
                (name.removesuffix("_id"), names.get(str(fact), fact))
                for name, fact in _facts(entry)
            ],
            closed_by.get(str(entry.body["facts"].get("round")), ""),
        )
        for entry in found
    ]


def _protocols(found: list[LogEntry]) -> dict[str, str]:
    """The protocols of the rounds that the entries name."""
    named = {str(entry.body["facts"].get("round", "")) for entry in found} - {""}
    rows = Round.objects.filter(pk__in=named).values_list("pk", "run__task__protocol")
    return {str(pk): protocol for pk, protocol in rows}


def _facts(entry: LogEntry) -> list[tuple[str, object]]:
    return list(entry.body["facts"].items())


def events() -> list[str]:
    """The kinds of entry that the log holds."""
    return list(LogEntry.objects.order_by("event").values_list("event", flat=True).distinct())


def heads() -> list[LogHead]:
    """The newest heads with the banks that cosigned each."""
    return list(LogHead.objects.prefetch_related("cosignatures__bank")[:HEADS])


@dataclass(frozen=True)
class LogReport:
    """What computing the log again found: no fault, or the first one."""

    entries: int
    heads: int
    cosignatures: int
    fault: str = ""
    index: int | None = None  # the first entry that does not fit, where it is an entry

    @property
    def holds(self) -> bool:
        return not self.fault


def verify_log() -> LogReport:
    """Walk the chain from its beginning; check each head's signature, root and cosignatures."""
    hashes: list[str] = []
    previous: receipts.LogEntry | None = None
    for row in LogEntry.objects.order_by("index").iterator():
        try:
            previous = _check_entry(row, previous)
        except ProtocolRefused as fault:
            return LogReport(len(hashes), 0, 0, translated(fault), row.index)
        hashes.append(row.hash)
    checked = words = 0
    try:
        roots = prefix_roots(hashes, LogHead.objects.values_list("size", flat=True))
        for head in _heads_with_words():
            words += _check_head(head, hashes, roots)
            checked += 1
    except ProtocolRefused as fault:
        return LogReport(len(hashes), checked, words, translated(fault))
    return LogReport(len(hashes), checked, words)


def _heads_with_words() -> Iterator[LogHead]:
    rows = LogHead.objects.prefetch_related("cosignatures__bank")
    yield from rows.iterator(chunk_size=200)


def _check_entry(row: LogEntry, previous: receipts.LogEntry | None) -> receipts.LogEntry:
    entry = receipts.LogEntry.from_wire(row.body)
    receipts.check_entry(entry, previous)
    if (entry.index, entry.hash()) != (row.index, row.hash):
        raise _broken(gettext_noop("An entry's hash is not that of its content."))
    return entry


def _check_head(row: LogHead, hashes: list[str], roots: dict[int, str]) -> int:
    """Refuse a head that is not what the entries say; the number of its cosignatures."""
    head = receipts.check_head(Signed.from_wire(row.signed), keys.verify_key())
    fits = head.size == row.size and 0 < head.size <= len(hashes)
    if not fits or head.last != hashes[head.size - 1]:
        raise _broken(gettext_noop("A signed head does not fit the entries."))
    if head.root != roots[head.size]:
        raise _broken(gettext_noop("A signed head's root is not that of the entries."))
    words = list(row.cosignatures.all())
    for word in words:
        key = VerifyKey(bytes(word.bank.signing_key).hex())
        receipts.check_cosignature(Signed.from_wire(word.signed), head, key)
    return len(words)


def _broken(sentence: str) -> ProtocolRefused:
    return ProtocolRefused("broken_log", sentence)
