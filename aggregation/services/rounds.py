"""A round's manifest, and what every later step asks of a round."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

from django.utils import timezone

from aggregation import keys
from aggregation.models import Round, TrainingRun
from aggregation.refusals import Contradicts
from aggregation.services import ledger
from aggregation.services.enrolment import MEMBERS
from aggregation.services.protocols import protocol_named
from consortium.accounts import audit
from consortium.accounts.actors import system
from consortium.accounts.models import Bank
from consortium.protocol import custody, spec
from consortium.protocol.envelope import Signed
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.packing import smallest_layout
from consortium.protocol.roster import Roster
from consortium.protocol.spec import METRICS, FreezeProposal, Manifest, Step

MOST_ATTEMPTS = 3
State, Phase = Round.State, Round.Phase
LIVE = (State.OPEN, State.FROZEN)


def manifest_of(round_: Round) -> Manifest:
    return Manifest.from_wire(Signed.from_wire(round_.manifest).body)


def proposal_of(round_: Round) -> FreezeProposal:
    return FreezeProposal.from_wire(Signed.from_wire(round_.proposal).body)


def roster_of(round_: Round) -> Roster:
    return Roster.from_wire(round_.run.roster.body)


def readers_of(round_: Round) -> tuple[str, ...]:
    """The banks that a frozen round's uploads and opening are for (``custody.readers``)."""
    return custody.readers(
        proposal_of(round_), manifest=manifest_of(round_), roster=roster_of(round_)
    )


def base_model(round_: Round) -> str:
    return manifest_of(round_).base_model


# Opening


def open_round(
    *, run: TrainingRun, number: int, step: Step, base_model: str, attempt: int = 1
) -> Round:
    """Publish the manifest of the run's next round; part of the caller's transaction."""
    manifest = _manifest(run, number, step, base_model, attempt)
    round_ = Round.objects.create(
        id=manifest.round,
        run=run,
        number=number,
        attempt=attempt,
        step=step.name,
        asked=step.to_wire(),
        phase=protocol_named(manifest.protocol).phases[0],
        manifest=keys.signed(manifest).to_wire(),
        manifest_hash=manifest.hash(),
        subject=manifest.subject,
        opened_at=datetime.fromtimestamp(manifest.opened_at, tz=UTC),
        deadline=datetime.fromtimestamp(manifest.deadline, tz=UTC),
    )
    ledger.append(
        event="manifest",
        facts={"task": manifest.task, "round": manifest.round, "manifest": manifest.hash()},
    )
    audit.record(actor=system("rounds"), verb="round.opened", target=round_, step=step.name)
    return round_


def _manifest(run: TrainingRun, number: int, step: Step, base_model: str, attempt: int) -> Manifest:
    task, roster = run.task, Roster.from_wire(run.roster.body)
    numbers, now = roster.numbers, timezone.now()
    layout = smallest_layout(step.bits, task.protocol)
    named = number == 0 or step.name == METRICS
    draft = Manifest(
        task=str(task.pk),
        run=str(run.pk),
        round=str(uuid.uuid4()),
        number=number,
        attempt=attempt,
        step=step.name,
        purpose=task.purpose,
        protocol=cast(spec.ProtocolName, str(task.protocol)),
        layout=cast(spec.LayoutName, layout.id),
        length=step.length,
        ciphertexts=protocol_named(task.protocol).ciphertexts(
            step.length, layout, run.epoch.key_bits
        ),
        clip=task.clip,
        weight_cap=task.weight_cap,
        epoch=str(run.epoch_id),
        key_id=run.epoch.key_id,
        key_bits=run.epoch.key_bits,
        roster=run.roster.hash,
        roster_version=run.roster.version,
        members=_able(roster),
        minimum_cohort=numbers.minimum_cohort,
        quorum=numbers.quorum,
        threshold=numbers.threshold,
        base_model=base_model,
        window=run.window if named else "",
        seed=run.seed,
        model=task.model,
        recipe=task.recipe,
        opened_at=int(now.timestamp()),
        deadline=int((now + timedelta(seconds=task.round_seconds)).timestamp()),
    )
    return replace(draft, members=_members(draft))


def _able(roster: Roster) -> tuple[str, ...]:
    """The roster's banks that are not suspended or removed."""
    able = Bank.objects.filter(pk__in=roster.banks, status__in=MEMBERS)
    present = {str(pk) for pk in able.values_list("pk", flat=True)}
    return tuple(bank for bank in roster.banks if bank in present)


def _members(draft: Manifest) -> tuple[str, ...]:
    """Who may contribute: everybody able, or exactly those of an earlier list of this subject.

    A signal's next sum starts from the one before, which only the banks in it could read.
    """
    before = _in_the_sum_before(draft)
    able = tuple(bank for bank in draft.members if bank in before)
    members = frozen_before(draft.subject) or able
    if not set(members) <= set(draft.members):
        raise Refused(
            "other_members",
            gettext_noop(
                "This sum was frozen before with a bank that cannot take part now. Over the same "
                "data or model no other set of banks may be summed: choose another window."
            ),
        )
    if len(members) < draft.minimum_cohort:
        raise Refused(
            "too_few_members",
            gettext_noop("%(able)s banks can take part; a sum needs at least %(needed)s."),
            able=len(members),
            needed=draft.minimum_cohort,
        )
    return members


def _in_the_sum_before(draft: Manifest) -> tuple[str, ...]:
    if draft.purpose != spec.RISK_SIGNAL or draft.number == 0:
        return draft.members
    before = Round.objects.get(
        run__pk=uuid.UUID(draft.run), number=draft.number - 1, state=State.OPENED
    )
    return proposal_of(before).banks


def frozen_before(subject: str) -> tuple[str, ...] | None:
    """The banks of the first list that was frozen over ``subject``, if there is one."""
    first = (
        Round.objects.filter(subject=subject, frozen_at__isnull=False).order_by("frozen_at").first()
    )
    return proposal_of(first).banks if first else None


# Moving on


def abandon(*, round_: Round, reason: str, params: dict[str, object] | None = None) -> None:
    """End a round visibly, with the reason; part of the caller's transaction.

    What the run does next is for ``runs.give_up``.
    """
    abandoned = Round.objects.filter(pk=round_.pk, state__in=LIVE).update(
        state=State.ABANDONED,
        phase=Phase.OVER,
        reason=reason,
        reason_params=params or {},
        finished_at=timezone.now(),
    )
    if abandoned != 1:
        raise moved_on()
    round_.refresh_from_db()
    facts = {"task": str(round_.run.task_id), "round": str(round_.pk), "list": round_.proposal_hash}
    ledger.append(event="abandoned", facts=facts)
    audit.record(actor=system("rounds"), verb="round.abandoned", target=round_, reason=reason)


def locked(round_id: uuid.UUID) -> Round:
    """The round, held together with its run until the transaction ends."""
    return (
        Round.objects.select_for_update(of=("self", "run"))
        .select_related("run__task", "run__roster", "run__epoch")
        .get(pk=round_id)
    )


def moved_on() -> Contradicts:
    return Contradicts("round_moved_on", gettext_noop("The round is not in that state any more."))
