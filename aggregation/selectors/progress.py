"""Where each run stands: its rounds, what is awaited and from whom, how long each phase took.

Of a bank it says only what it did in the protocol and whether it is awaited: uploads of a round
have one size by design, and when each bank came is nobody's business here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aggregation.models import Derived, ModelVersion, Partial, Round, Submission, TrainingRun, Vote
from aggregation.selectors.duties import awaited_custodians
from aggregation.services.protocols import protocol_of
from aggregation.services.rounds import LIVE, manifest_of, proposal_of
from consortium.accounts.models import Bank
from consortium.naming import phase_name
from consortium.protocol.masked_round import smallest_roll
from consortium.protocol.roster import Roster
from consortium.protocol.spec import METRICS, Manifest

Banks = dict[str, Bank]


@dataclass(frozen=True)
class Awaited:
    """What a run waits for, from whom, and how many of them are needed."""

    what: str | Promise
    banks: list[Bank]
    needed: int
    until: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Phase:
    """A stretch of a round that is over; ``code`` is a phase of ``protocol.sizes``."""

    code: str
    name: str
    seconds: float


@dataclass(frozen=True)
class RoundProgress:
    row: Round
    known: Banks

    @cached_property
    def manifest(self) -> Manifest:
        return manifest_of(self.row)

    @property
    def live(self) -> bool:
        return self.row.state in LIVE

    @property
    def opened(self) -> bool:
        return self.row.state == Round.State.OPENED

    @property
    def why(self) -> str:
        return said(self.row.reason, self.row.reason_params)

    @cached_property
    def came(self) -> list[Submission]:
        return list(self.row.submissions.all())

    @cached_property
    def listed(self) -> list[Bank]:
        """The freeze list."""
        return self._banks(proposal_of(self.row).banks) if self.row.proposal else []

    @cached_property
    def signers(self) -> list[Bank]:
        return self._banks(str(word.bank_id) for word in self.row.freeze_signatures.all())

    @cached_property
    def custodians(self) -> list[Bank]:
        return self._banks(str(partial.bank_id) for partial in self.row.partials.all())

    @cached_property
    def derivers(self) -> list[Bank]:
        return self._banks(str(word.bank_id) for word in self.row.derived.all())

    @property
    def bytes_each(self) -> int | None:
        """What one bank uploaded: the same for all."""
        return self.came[0].size if self.came else None

    @property
    def enough_openings(self) -> int:
        """How many must give before the banks can open the sum."""
        return protocol_of(self.row).needed(self.manifest)

    @cached_property
    def enough_partials_at(self) -> datetime | None:
        """When what made the sum openable had come."""
        given = sorted(partial.at for partial in self.row.partials.all())
        needed = self.enough_openings
        return next(iter(given[needed - 1 :]), None) if needed else self.row.certified_at

    @cached_property
    def phases(self) -> list[Phase]:
        row, enough = self.row, self.enough_partials_at
        keyed = max((one.at for one in row.advertisements.all()), default=None)
        stretches = [
            ("keys", row.opened_at, keyed),
            ("submission", keyed or row.opened_at, row.frozen_at),
            ("list", row.frozen_at, row.certified_at),
            ("opening", row.certified_at, enough),
            ("result", enough, row.finished_at),
        ]
        return [
            Phase(code, phase_name(self.manifest.protocol, code), (end - begin).total_seconds())
            for code, begin, end in stretches
            if begin and end and begin != end
        ]

    @property
    def gave(self) -> str:
        """What custodians gave towards the sum."""
        return phase_name(self.manifest.protocol, "opening")

    @property
    def awaited(self) -> Awaited | None:
        if not self.live:
            return None
        row, manifest = self.row, self.manifest
        what = self._awaited_what
        if row.phase == Round.Phase.ADVERTISING:
            keyed = {str(one.bank_id) for one in row.advertisements.all()}
            missing = self._banks(bank for bank in manifest.members if bank not in keyed)
            needed = max(0, smallest_roll(manifest) - len(keyed))
            return Awaited(what, missing, needed, row.deadline, since=row.opened_at)
        if row.phase == Round.Phase.COLLECTING:
            came = {str(one.bank_id) for one in self.came}
            able = protocol_of(row).contributors(row, manifest)
            missing = self._banks(bank for bank in able if bank not in came)
            needed = max(0, manifest.minimum_cohort - len(came))
            return Awaited(what, missing, needed, row.deadline, since=row.opened_at)
        if row.phase == Round.Phase.OPENING:
            missing = self._banks(awaited_custodians(row))
            needed = max(0, self.enough_openings - len(self.custodians))
            return Awaited(what, missing, needed, since=row.certified_at)
        signing = row.phase == Round.Phase.SIGNING
        done = self.signers if signing else self.derivers
        enough = manifest.quorum if signing else manifest.threshold
        missing = [bank for bank in self._banks(roster_banks(row.run)) if bank not in done]
        since = row.frozen_at if signing else self.enough_partials_at
        return Awaited(what, missing, max(0, enough - len(done)), since=since)

    @property
    def nobody_left_to_ask(self) -> bool:
        """Whether every key holder was asked to open, and had the time to, and too few did."""
        row = self.row
        if row.phase != Round.Phase.OPENING or row.certified_at is None:
            return False
        turns = len(roster_banks(row.run)) - self.enough_openings + 1
        return timezone.now() - row.certified_at > turns * timedelta(
            seconds=row.run.task.lease_seconds
        )

    @property
    def _awaited_what(self) -> str:
        code = {Round.Phase.COLLECTING: "submission", Round.Phase.OPENING: "opening"}.get(
            Round.Phase(self.row.phase)
        )
        if code is None:
            return self.row.get_phase_display()
        made = phase_name(self.manifest.protocol, code)
        return gettext("waiting for %(what)s") % {"what": made}

    def _banks(self, ids: Iterable[str]) -> list[Bank]:
        """By name: people look for a name, not for a number."""
        return sorted((self.known[i] for i in ids if i in self.known), key=lambda bank: bank.name)


@dataclass(frozen=True)
class RunProgress:
    row: TrainingRun
    rounds: list[RoundProgress]
    version: ModelVersion | None
    votes: list[Vote]
    known: Banks

    @property
    def going(self) -> bool:
        return self.row.state == TrainingRun.State.RUNNING

    @property
    def why(self) -> str:
        return said(self.row.reason, self.row.reason_params)

    @property
    def members(self) -> list[Bank]:
        return [self.known[bank] for bank in roster_banks(self.row) if bank in self.known]

    @property
    def live(self) -> RoundProgress | None:
        return next((round_ for round_ in self.rounds if round_.live), None)

    @property
    def planned(self) -> int:
        """Rounds of a run that succeeds, as its banks see it now; the last one is the metrics."""
        first = self.row.task.first_step
        newest = self.rounds[-1].row if self.rounds else None
        asked, number = (newest.asked, newest.number) if newest else (first, 0)
        return number + 1 + int(asked["remaining"]) + (not newest or newest.step != METRICS)

    @property
    def opened(self) -> int:
        return sum(round_.opened for round_ in self.rounds)

    @property
    def bytes_each(self) -> int:
        """What a bank that came to every round has uploaded."""
        return sum(round_.bytes_each or 0 for round_ in self.rounds)

    @property
    def awaited(self) -> Awaited | None:
        if not self.going:
            return None
        if self.live:
            return self.live.awaited
        if self.version and self.version.state == ModelVersion.State.CANDIDATE:
            voted = {vote.bank_id for vote in self.votes}
            silent = [bank for bank in self.members if bank.pk not in voted]
            needed = len(self.members) // 2 + 1 - sum(vote.accept for vote in self.votes)
            until, since = self.version.vote_until, self.version.created_at
            return Awaited(_("waiting for votes"), silent, needed, until, since)
        return None


def run_progress(run_id: uuid.UUID) -> RunProgress | None:
    """One run with all its rounds; None where there is none."""
    found = _runs().filter(pk=run_id).first()
    return _progress(found, _known()) if found else None


def going() -> list[RunProgress]:
    """The runs that are going on."""
    runs = list(_runs().filter(state=TrainingRun.State.RUNNING))
    known = _known() if runs else {}
    return [_progress(run, known) for run in runs]


def latest_runs(
    *, before: datetime | None = None, task: uuid.UUID | None = None, limit: int = 25
) -> list[TrainingRun]:
    """Runs, newest first, started before ``before``."""
    rows = TrainingRun.objects.select_related("task", "version", "roster").order_by("-started_at")
    if before:
        rows = rows.filter(started_at__lt=before)
    return list((rows.filter(task=task) if task else rows)[:limit])


def said(reason: str, params: dict[str, object]) -> str:
    """A stored reason (an English message id) in the reader's language."""
    if not reason:
        return ""
    sentence = gettext(reason)
    return sentence % params if params else sentence


def roster_banks(run: TrainingRun) -> tuple[str, ...]:
    return Roster.from_wire(run.roster.body).banks


def _known() -> Banks:
    return {str(bank.pk): bank for bank in Bank.objects.all()}


def _runs() -> QuerySet[TrainingRun]:
    """Runs with their rounds and everything said about them, without the ciphertexts."""
    rounds = (
        Round.objects.defer("aggregate")
        .select_related("run__task", "run__roster", "run__epoch")
        .prefetch_related(
            Prefetch("submissions", Submission.objects.only("round", "bank", "size", "log_index")),
            "freeze_signatures",
            "advertisements",
            Prefetch("partials", Partial.objects.only("round", "bank", "at")),
            Prefetch("derived", Derived.objects.only("round", "bank", "result")),
        )
    )
    return TrainingRun.objects.select_related(
        "task", "roster", "epoch__dealer", "version"
    ).prefetch_related(Prefetch("rounds", rounds), "version__votes__bank")


def _progress(run: TrainingRun, known: Banks) -> RunProgress:
    version = getattr(run, "version", None)
    return RunProgress(
        row=run,
        rounds=[RoundProgress(row, known) for row in run.rounds.all()],
        version=version,
        votes=list(version.votes.all()) if version else [],
        known=known,
    )
