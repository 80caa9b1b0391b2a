"""What the centre waits for from one bank: the answer of ``GET next``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils import timezone

from aggregation.models import (
    HeadCosignature,
    KeyEpoch,
    LogHead,
    ModelVersion,
    RosterVersion,
    Round,
    TrainingRun,
)
from aggregation.selectors import gifts
from aggregation.services.enrolment import MEMBERS
from aggregation.services.protocols import protocol_of
from aggregation.services.rounds import LIVE, manifest_of, readers_of
from consortium.accounts.models import Bank
from consortium.protocol.duties import Duty, NextDuties
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Epoch

POLL_SECONDS = 1
IDLE_POLL_SECONDS = 10
CEREMONY_TURN = timedelta(days=1)
LATE_RESULTS = timedelta(days=7)
"""How long after its opening a bank that was away is asked to derive a result."""


def next_duties(bank: Bank) -> NextDuties:
    """Everything that waits for ``bank``, the most urgent first."""
    found = [
        *_derive(bank),
        *_live_rounds(bank),
        *_vote(bank),
        *_sign_roster(bank),
        *_keys(bank),
        *_cosign(bank),
        *_gifts(bank),
    ]
    going = TrainingRun.objects.filter(state=TrainingRun.State.RUNNING).exists()
    return NextDuties(
        duties=tuple(found),
        poll_after=POLL_SECONDS if going or found else IDLE_POLL_SECONDS,
        now=int(timezone.now().timestamp()),
    )


def awaited_custodians(round_: Round) -> list[str]:
    """The key holders whose turn it is and who have not given towards the sum."""
    able = {str(pk) for pk in Bank.objects.filter(status__in=MEMBERS).values_list("pk", flat=True)}
    custodians = Epoch.from_wire(round_.run.epoch.body).custodians
    if round_.proposal is not None:
        able &= set(readers_of(round_))
    present = [custodian.bank for custodian in custodians if custodian.bank in able]
    given = {str(pk) for pk in round_.partials.values_list("bank_id", flat=True)}
    return [bank for bank in protocol_of(round_).openers(round_, present) if bank not in given]


def _live_rounds(bank: Bank) -> Iterator[Duty]:
    for round_ in _rounds_of(bank, state__in=LIVE):
        if round_.phase == Round.Phase.ADVERTISING:
            may = str(bank.pk) in manifest_of(round_).members
            if may and not round_.advertisements.filter(bank=bank).exists():
                yield _duty("advertise", round_, until=round_.deadline)
        elif round_.phase == Round.Phase.COLLECTING:
            contributors = protocol_of(round_).contributors(round_, manifest_of(round_))
            may = str(bank.pk) in contributors
            in_time = round_.deadline > timezone.now()
            if may and in_time and not round_.submissions.filter(bank=bank).exists():
                yield _duty("submit", round_, until=round_.deadline)
        elif round_.phase == Round.Phase.SIGNING:
            if not round_.freeze_signatures.filter(bank=bank).exists():
                yield _duty("sign_freeze", round_)
        elif str(bank.pk) in awaited_custodians(round_):
            yield _duty("open", round_)


def _derive(bank: Bank) -> Iterator[Duty]:
    late = Q(state=Round.State.OPENED, finished_at__gt=timezone.now() - LATE_RESULTS)
    for round_ in _rounds_of(bank, late | Q(phase=Round.Phase.DERIVING)):
        reads = str(bank.pk) in readers_of(round_)
        if reads and not round_.derived.filter(bank=bank).exists():
            yield _duty("derive", round_)


def _rounds_of(bank: Bank, *which: Q, **filters: object) -> list[Round]:
    """Rounds, oldest first, whose roster lists the bank."""
    rows = Round.objects.filter(*which, **filters).order_by("opened_at").defer("aggregate")
    member = {"members": [{"bank": str(bank.pk)}]}
    return list(
        rows.filter(run__roster__body__contains=member).select_related(
            "run__task", "run__roster", "run__epoch"
        )
    )


def _vote(bank: Bank) -> Iterator[Duty]:
    open_votes = ModelVersion.objects.filter(state=ModelVersion.State.CANDIDATE)
    for version in open_votes.exclude(votes__bank=bank).select_related("run__roster"):
        if str(bank.pk) in Roster.from_wire(version.run.roster.body).banks:
            yield _new(
                "vote",
                task=version.task_id,
                run=version.run_id,
                model=version.sha256,
                until=version.vote_until,
            )


def _sign_roster(bank: Bank) -> Iterator[Duty]:
    proposed = RosterVersion.objects.filter(state=RosterVersion.State.PROPOSED)
    for row in proposed.exclude(signatures__bank=bank):
        if str(bank.pk) in voters(row):
            yield _new("sign_roster", task=row.task_id, number=row.version)


def voters(row: RosterVersion) -> tuple[str, ...]:
    """Who has a say in a roster version: the members before it; for the first one, its own."""
    before = RosterVersion.objects.filter(task_id=row.task_id, version=row.version - 1).first()
    return Roster.from_wire((before or row).body).banks


def _keys(bank: Bank) -> Iterator[Duty]:
    for roster in RosterVersion.objects.filter(state=RosterVersion.State.ACTIVE):
        banks = Roster.from_wire(roster.body).banks
        if str(bank.pk) not in banks:
            continue
        epoch = roster.epochs.exclude(state=KeyEpoch.State.RETIRED).first()
        if epoch is None:
            if bank.pk in _dealers(roster, banks):
                yield _new("ceremony", task=roster.task_id, number=roster.version)
        elif epoch.state == KeyEpoch.State.PROPOSED and not epoch.signatures.filter(bank=bank):
            yield _new("witness", task=roster.task_id, epoch=epoch.pk, number=roster.version)


def _dealers(roster: RosterVersion, banks: tuple[str, ...]) -> list[uuid.UUID]:
    """Who is asked to hold the ceremony: one bank, and one more with each day that passes."""
    able = Bank.objects.filter(pk__in=banks, status__in=MEMBERS).order_by("pk")
    dropped = roster.epochs.aggregate(last=Max("retired_at"))["last"]
    since = dropped or roster.active_at or roster.proposed_at
    turn = 1 + (timezone.now() - since) // CEREMONY_TURN
    return list(able.values_list("pk", flat=True)[:turn])


def _cosign(bank: Bank) -> Iterator[Duty]:
    head = LogHead.objects.first()
    if head is None or not RosterVersion.objects.filter(body__contains=_member(bank)).exists():
        return
    if not HeadCosignature.objects.filter(head=head, bank=bank).exists():
        yield _new("cosign", number=head.size)


def _gifts(bank: Bank) -> Iterator[Duty]:
    for gift in gifts.asked_of(bank):
        yield _new("give", task=gift.run.task_id, run=gift.run_id, model=gift.subject)
    for run, subject in gifts.waiting_for(bank):
        yield _new("receive", task=run.task_id, run=run.pk, model=subject)


def _member(bank: Bank) -> dict[str, object]:
    return {"members": [{"bank": str(bank.pk)}]}


def _duty(duty: str, round_: Round, until: datetime | None = None) -> Duty:
    run = round_.run
    return _new(duty, task=run.task_id, run=run.pk, round=round_.pk, until=until)


def _new(duty: str, *, until: datetime | None = None, **about: object) -> Duty:
    """A duty about the given ids; everything else is None."""
    names = ("task", "run", "round", "epoch", "model")
    ids = {name: str(about[name]) if about.get(name) else None for name in names}
    return Duty.from_wire(
        {
            "duty": duty,
            **ids,
            "number": about.get("number"),
            "until": int(until.timestamp()) if until else None,
        }
    )
