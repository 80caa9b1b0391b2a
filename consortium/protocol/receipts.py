"""A log nobody can rewrite unseen: chained entries, signed and cosigned heads.

Every entry names the hash of the one before; heads over the Merkle tree (``merkle.py``) are signed
by the centre and cosigned by the banks. What a bank exports of it: ``bundle.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from consortium.protocol.envelope import (
    COORDINATOR,
    Signed,
    SigningKey,
    VerifyKey,
    sign,
    verify,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.spec import FreezeProposal, Receipt
from consortium.protocol.wire import Count, Digest, Json, Message, Name, Record, Seconds

EMPTY_LOG = "0" * 64
"""What the first entry names as its predecessor."""


@dataclass(frozen=True)
class LogEntry(Message):
    """Entry ``index`` of the log. ``event`` says what happened, ``facts`` with which hashes."""

    kind = "log-entry"

    index: Count
    previous: Digest
    event: Name
    facts: Json
    created_at: Seconds


def check_entry(entry: LogEntry, previous: LogEntry | None) -> None:
    """Refuse an entry that does not continue ``previous`` (None: the log's beginning)."""
    index, link = (previous.index + 1, previous.hash()) if previous else (0, EMPTY_LOG)
    if entry.index != index or entry.previous != link:
        raise ProtocolRefused(
            "broken_log",
            _("Log entry %(index)s does not continue the entry before it."),
            index=entry.index,
        )


# Heads


@dataclass(frozen=True)
class TreeHead(Message):
    """The log's state after ``size`` entries; signed by the centre and cosigned by the banks.

    ``root`` is the Merkle root, ``last`` the hash of the newest entry.
    """

    kind = "tree-head"

    size: Count
    root: Digest
    last: Digest
    created_at: Seconds


@dataclass(frozen=True)
class HeadCosignature(Message):
    """A bank's word that it saw this head and that it continues every head it saw before."""

    kind = "head-cosignature"

    head: Digest
    size: Count


@dataclass(frozen=True)
class CosignedHead(Record):
    """A head as the centre signed it, with the banks' cosignatures."""

    head: Signed
    cosignatures: tuple[Signed, ...]


def cosign(head: TreeHead, *, bank: str, key: SigningKey) -> Signed:
    """``bank``'s cosignature; it has checked consistency with the head it signed last."""
    return sign(HeadCosignature(head.hash(), head.size), signer=bank, key=key)


def check_head(signed: Signed, coordinator: VerifyKey) -> TreeHead:
    """The head in ``signed`` if the centre signed it."""
    if signed.signer != COORDINATOR:
        raise ProtocolRefused("bad_signature", _("A log head must be signed by the centre."))
    return verify(signed, TreeHead, coordinator)


def check_cosignature(signed: Signed, head: TreeHead, bank: VerifyKey) -> None:
    """Refuse a cosignature that is not valid or belongs to another head."""
    if verify(signed, HeadCosignature, bank) != HeadCosignature(head.hash(), head.size):
        raise ProtocolRefused("bad_signature", _("The cosignature belongs to another log head."))


def submission_facts(receipt: Receipt) -> Json:
    """What the log's entry says about the submission that ``receipt`` is for."""
    return {
        "task": receipt.task,
        "round": receipt.round,
        "bank": receipt.bank,
        "submission": receipt.submission,
    }


def freeze_facts(proposal: FreezeProposal) -> Json:
    """What the log's entry says about a freeze list."""
    return {"task": proposal.task, "round": proposal.round, "proposal": proposal.hash()}
