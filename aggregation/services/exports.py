"""Taking the log along; that somebody did stands in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction

from aggregation.models import LogEntry, LogHead
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.protocol.wire import Json, canonical


@transaction.atomic
def export_log(*, actor: Actor) -> Iterator[bytes]:
    """The whole log as lines of canonical JSON: entries in order, then the newest signed head."""
    size = LogEntry.objects.count()
    audit.record(actor=actor, verb="log.exported", entries=size)
    return _lines(size)


def _lines(size: int) -> Iterator[bytes]:
    entries = LogEntry.objects.filter(index__lt=size).order_by("index")
    for body in entries.values_list("body", flat=True).iterator():
        yield _line({"entry": body})
    head = LogHead.objects.filter(size__lte=size).first()
    if head:
        words = list(head.cosignatures.values_list("signed", flat=True))
        yield _line({"head": head.signed, "cosignatures": words})


def _line(what: Json) -> bytes:
    return canonical(what) + b"\n"
