"""What a member's node may fetch: rosters, keys, rounds, boxes sealed to it, the log.

Everything that is not this bank's raises ``NotHere``, as if it were not there.
"""

from __future__ import annotations

import uuid

from aggregation.models import (
    KeyEpoch,
    LogEntry,
    LogHead,
    RosterVersion,
    Round,
    SealedMaskShares,
    SealedPartial,
    Submission,
    Task,
    TermsVote,
    TrainingRun,
    Vote,
)
from aggregation.refusals import NotHere
from aggregation.services import rounds
from aggregation.services.terms import terms_of
from consortium.accounts.models import Bank
from consortium.protocol import merkle
from consortium.protocol.envelope import Signed
from consortium.protocol.receipts import CosignedHead
from consortium.protocol.roster import Roster, SignedRoster
from consortium.protocol.spec import FreezeCertificate, FreezeProposal
from consortium.protocol.wire import Json

MOST_ENTRIES = 1000
Signatures = list[Json]


def tasks_of(bank: Bank) -> list[Json]:
    """The agreements that the bank is or may become a member of."""
    rows = [row for row in _rosters_with(bank) if row.state != RosterVersion.State.SUPERSEDED]
    return [
        {
            "task": str(row.task_id),
            "name": row.task.name,
            "purpose": row.task.purpose,
            "protocol": row.task.protocol,
            "roster_version": row.version,
        }
        for row in rows
    ]


def task(bank: Bank, task_id: uuid.UUID) -> Task:
    row = next((row for row in _rosters_with(bank) if row.task_id == task_id), None)
    if row is None:
        raise NotHere
    return row.task


def agreement(bank: Bank, task_id: uuid.UUID) -> Json:
    """What a run of the task would ask of its members; no key: ``key_bits`` 0."""
    found = task(bank, task_id)
    active = found.rosters.filter(state=RosterVersion.State.ACTIVE).first()
    key = active.epochs.filter(state=KeyEpoch.State.ACTIVE).first() if active else None
    return {
        "task": str(found.pk),
        "name": found.name,
        "purpose": found.purpose,
        "protocol": found.protocol,
        "model": found.model,
        "recipe": found.recipe,
        "clip": found.clip,
        "weight_cap": found.weight_cap,
        "first_step": found.first_step,
        "metric_values": found.metric_values,
        "banks": len(Roster.from_wire(active.body).banks) if active else 0,
        "key_bits": key.key_bits if key else 0,
        "next_run_at": found.next_run_at.isoformat() if found.next_run_at else None,
    }


def terms(task: Task) -> Json:
    """A task's terms and what its members said about them, as they signed it."""
    words = TermsVote.objects.filter(task=task, terms=terms_of(task)).order_by("bank_id")
    return {
        "recipe": task.recipe,
        "terms": terms_of(task),
        "votes": [word.signed for word in words],
    }


def roster_chain(bank: Bank, task_id: uuid.UUID) -> list[Json]:
    """All valid rosters of the task, from version 1."""
    valid = task(bank, task_id).rosters.exclude(state=RosterVersion.State.PROPOSED)
    return [_signed_roster(row).to_wire() for row in valid.order_by("version")]


def roster(bank: Bank, task_id: uuid.UUID, version: int) -> Json:
    row = task(bank, task_id).rosters.filter(version=version).first()
    if row is None:
        raise NotHere
    return dict(row.body)


def newest_epoch(bank: Bank, task_id: uuid.UUID) -> KeyEpoch:
    """The key of the task's active roster, proposed or witnessed."""
    found = (
        KeyEpoch.objects.filter(task=task(bank, task_id), roster__state=RosterVersion.State.ACTIVE)
        .exclude(state=KeyEpoch.State.RETIRED)
        .first()
    )
    if found is None:
        raise NotHere
    return found


def epoch(bank: Bank, epoch_id: uuid.UUID) -> KeyEpoch:
    found = KeyEpoch.objects.filter(pk=epoch_id, shares__bank=bank).first()
    if found is None:
        raise NotHere
    return found


def epoch_facts(found: KeyEpoch) -> Json:
    """What a bank asks for in every step; the long proof is in ``share_facts``."""
    return {
        "signatures": list(found.signatures.values_list("signed", flat=True)),
        "state": found.state,
    }


def share_facts(bank: Bank, found: KeyEpoch) -> Json:
    """The bank's sealed share and the proof of the key: fetched once."""
    share = found.shares.filter(bank=bank).first()
    return {
        "biprimality": bytes(found.biprimality).hex(),
        "share": bytes(share.box).hex() if share else "",
    }


def run(bank: Bank, run_id: uuid.UUID) -> TrainingRun:
    found = TrainingRun.objects.select_related("task", "roster").filter(pk=run_id).first()
    if found is None or str(bank.pk) not in Roster.from_wire(found.roster.body).banks:
        raise NotHere
    return found


def run_facts(found: TrainingRun) -> Json:
    version = getattr(found, "version", None)
    return {
        "run": str(found.pk),
        "task": str(found.task_id),
        "state": found.state,
        "reason": found.reason,
        "candidate": version.sha256 if version else None,
        "version_state": version.state if version else None,
        "rounds": [
            {
                "round": str(row.pk),
                "number": row.number,
                "attempt": row.attempt,
                "step": row.step,
                "state": row.state,
                "phase": row.phase,
                "manifest": row.manifest_hash,
                "result": row.result or None,
            }
            for row in found.rounds.all()
        ],
    }


def votes(found: TrainingRun) -> list[Json]:
    """The votes on a run's candidate, as its banks signed them."""
    words = Vote.objects.filter(version__run=found).order_by("bank_id")
    return list(words.values_list("signed", flat=True))


def round_(bank: Bank, round_id: uuid.UUID) -> Round:
    found = (
        Round.objects.select_related("run__task", "run__roster", "run__epoch")
        .defer("aggregate")
        .filter(pk=round_id)
        .first()
    )
    if found is None or str(bank.pk) not in Roster.from_wire(found.run.roster.body).banks:
        raise NotHere
    return found


def roll(bank: Bank, found: Round) -> Json:
    """The mask keys of a round that everybody masks under, with this bank's boxes of shares."""
    if found.roll is None:
        raise NotHere
    boxes = SealedMaskShares.objects.filter(advertisement__round=found, recipient=bank)
    mine = {row.advertisement_id: bytes(row.box).hex() for row in boxes}
    return {
        "roll": dict(found.roll),
        "advertisements": [
            {"advertisement": one.signed, "box": mine.get(one.pk, "")}
            for one in found.advertisements.order_by("bank_id")
        ],
    }


def freeze(found: Round) -> Json:
    if found.proposal is None:
        raise NotHere
    return dict(found.proposal)


def certificate(found: Round) -> Json:
    """The list with its quorum of signatures; not there before it has them."""
    if found.proposal is None or found.certified_at is None:
        raise NotHere
    words = found.freeze_signatures.values_list("signed", flat=True)
    return FreezeCertificate(
        FreezeProposal.from_wire(found.proposal["body"]), tuple(map(Signed.from_wire, words))
    ).to_wire()


def submission_body(bank: Bank, found: Round, of_bank: uuid.UUID) -> bytes:
    """A listed bank's upload, for those whom the sum is for to check and add; once certified."""
    listed = certificate(found)["proposal"]["contributions"]
    row = Submission.objects.filter(round=found, bank_id=of_bank).first()
    if row is None or not row.body or str(of_bank) not in {item["bank"] for item in listed}:
        raise NotHere
    if str(bank.pk) not in rounds.readers_of(found):
        raise NotHere
    return bytes(row.body)


def aggregate(bank: Bank, found: Round) -> bytes:
    if not found.aggregate or str(bank.pk) not in rounds.readers_of(found):
        raise NotHere
    return bytes(found.aggregate)


def partials_for(bank: Bank, found: Round) -> list[Json]:
    boxes = SealedPartial.objects.filter(partial__round=found, recipient=bank)
    return [
        {"header": row.partial.header, "box": bytes(row.box).hex()}
        for row in boxes.select_related("partial").order_by("partial__at", "pk")
    ]


def log_entries(after: int) -> list[Json]:
    """Entries from index ``after`` on, at most ``MOST_ENTRIES``."""
    rows = LogEntry.objects.filter(index__gte=after).order_by("index")[:MOST_ENTRIES]
    return [dict(row.body) for row in rows]


def newest_head() -> Json | None:
    head = LogHead.objects.first()
    if head is None:
        return None
    words = head.cosignatures.values_list("signed", flat=True)
    return CosignedHead(
        Signed.from_wire(head.signed), tuple(map(Signed.from_wire, words))
    ).to_wire()


def inclusion(index: int, size: int) -> Json:
    hashes = _hashes(size)
    if index >= len(hashes):
        raise NotHere
    return {"entry": hashes[index], "proof": merkle.inclusion_proof(hashes, index)}


def consistency(old: int, new: int) -> list[str]:
    hashes = _hashes(new)
    return merkle.consistency_proof(hashes, old) if old < new else []


def _hashes(size: int) -> list[str]:
    hashes = LogEntry.objects.filter(index__lt=size).order_by("index")
    found = list(hashes.values_list("hash", flat=True))
    if len(found) != size:
        raise NotHere
    return found


def _rosters_with(bank: Bank) -> list[RosterVersion]:
    member = {"members": [{"bank": str(bank.pk)}]}
    rows = RosterVersion.objects.filter(body__contains=member).select_related("task")
    return list(rows.order_by("-version"))


def _signed_roster(row: RosterVersion) -> SignedRoster:
    words = row.signatures.values_list("signed", flat=True)
    return SignedRoster(Roster.from_wire(row.body), tuple(map(Signed.from_wire, words)))
