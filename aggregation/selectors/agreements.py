"""How far each task is agreed: who has signed its roster, who must still witness its key."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Prefetch

from aggregation.models import (
    EpochSignature,
    KeyEpoch,
    ModelVersion,
    RosterSignature,
    RosterVersion,
    Task,
    TrainingRun,
)
from aggregation.selectors.duties import voters
from aggregation.selectors.members import by_id
from consortium.accounts.models import Bank
from consortium.protocol.custody import WITNESSES
from consortium.protocol.roster import Numbers, Roster


@dataclass(frozen=True)
class RosterStanding:
    """A roster version with its members, and who has and has not signed it."""

    row: RosterVersion
    members: list[Bank]
    signed: list[Bank]
    unsigned: list[Bank]

    @property
    def numbers(self) -> Numbers:
        return Numbers.of(len(self.members))

    @property
    def still_needed(self) -> int:
        return max(0, self.row.signatures_needed - len(self.signed))

    @property
    def unable(self) -> list[Bank]:
        """Members that are suspended or removed: the next roster should leave them out."""
        gone = {Bank.Status.SUSPENDED, Bank.Status.REMOVED}
        return [bank for bank in self.members if bank.status in gone]


@dataclass(frozen=True)
class KeyStanding:
    """The key of the active roster: its dealer, who witnessed, who could still."""

    row: KeyEpoch
    witnesses: list[Bank]
    unsigned: list[Bank]

    @property
    def still_needed(self) -> int:
        return max(0, WITNESSES - len(self.witnesses))


@dataclass(frozen=True)
class Agreement:
    """A task and how far its members are with it."""

    task: Task
    active: RosterStanding | None
    proposed: RosterStanding | None
    key: KeyStanding | None
    running: TrainingRun | None
    latest: TrainingRun | None
    published: ModelVersion | None
    joined_since: list[Bank] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether a run can start now."""
        return bool(self.key and self.key.row.state == KeyEpoch.State.ACTIVE and not self.running)


def agreements() -> list[Agreement]:
    return [agreement(task) for task in Task.objects.all()]


def agreement(task: Task) -> Agreement:
    """Everything the operator needs to know to move the task on."""
    signed = Prefetch("signatures", RosterSignature.objects.select_related("bank"))
    rosters = {row.state: row for row in task.rosters.prefetch_related(signed)}
    active = rosters.get(RosterVersion.State.ACTIVE)
    proposed = rosters.get(RosterVersion.State.PROPOSED)
    runs = list(task.runs.all()[:1])
    latest = runs[0] if runs else None
    standing = _roster(active) if active else None
    return Agreement(
        task=task,
        active=standing,
        proposed=_roster(proposed) if proposed else None,
        key=_key(active, standing.members) if active and standing else None,
        running=latest if latest and latest.state == TrainingRun.State.RUNNING else None,
        latest=latest,
        published=task.versions.filter(state=ModelVersion.State.PUBLISHED).first(),
        joined_since=_outside(standing),
    )


def _roster(row: RosterVersion) -> RosterStanding:
    signed = [signature.bank for signature in row.signatures.all()]
    asked = by_id(voters(row)) if row.state == RosterVersion.State.PROPOSED else []
    return RosterStanding(
        row=row,
        members=by_id(Roster.from_wire(row.body).banks),
        signed=signed,
        unsigned=[bank for bank in asked if bank not in signed],
    )


def _key(roster: RosterVersion, members: list[Bank]) -> KeyStanding | None:
    epoch = (
        roster.epochs.exclude(state=KeyEpoch.State.RETIRED)
        .select_related("dealer")
        .prefetch_related(Prefetch("signatures", EpochSignature.objects.select_related("bank")))
        .first()
    )
    if epoch is None:
        return None
    words = [signature.bank for signature in epoch.signatures.all()]
    waiting = epoch.state == KeyEpoch.State.PROPOSED
    return KeyStanding(
        row=epoch,
        witnesses=[bank for bank in words if bank != epoch.dealer],
        unsigned=[bank for bank in members if bank not in words] if waiting else [],
    )


def _outside(standing: RosterStanding | None) -> list[Bank]:
    """Banks that have joined and are not in the task's roster yet."""
    inside = [bank.pk for bank in standing.members] if standing else []
    joined = Bank.objects.filter(status__in=[Bank.Status.JOINED, Bank.Status.ACTIVE])
    return list(joined.exclude(pk__in=inside))
