"""Closing the list of a round: proposed by the centre, certified by a quorum of the banks."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from aggregation import keys
from aggregation.models import FreezeSignature, Round, Submission, TrainingRun
from aggregation.refusals import Contradicts, NotHere
from aggregation.services import advertising, ledger, rounds, runs, windows
from aggregation.services.protocols import protocol_of
from aggregation.services.rounds import manifest_of, proposal_of, roster_of
from consortium.accounts import audit
from consortium.accounts.actors import node, system
from consortium.accounts.models import Bank
from consortium.protocol import spec
from consortium.protocol.envelope import Signed, digest, unframe, verify
from consortium.protocol.errors import gettext_noop
from consortium.protocol.masked_round import smallest_roll
from consortium.protocol.receipts import freeze_facts
from consortium.protocol.spec import Contribution, FreezeProposal, Manifest

State, Phase = Round.State, Round.Phase


@transaction.atomic
def freeze_if_due(*, round_id: uuid.UUID) -> None:
    """Freeze a round that everybody has come to, or whose deadline is past; else do nothing.

    Past the deadline with too few banks, the round is abandoned.
    """
    round_ = rounds.locked(round_id)
    if round_.state != State.OPEN:
        return
    if round_.run.state != TrainingRun.State.RUNNING:
        rounds.abandon(round_=round_, reason=gettext_noop("The run is over."))
        return
    manifest = manifest_of(round_)
    if not advertising.close_if_due(round_):
        if round_.deadline <= timezone.now():
            _too_few(round_, manifest, round_.advertisements.count())
        return
    came = list(
        Submission.objects.filter(round=round_).order_by("bank_id").values_list("bank_id", "hash")
    )
    everybody = len(came) == len(protocol_of(round_).contributors(round_, manifest))
    if not everybody and round_.deadline > timezone.now():
        return
    if _too_few(round_, manifest, len(came)):
        return
    if windows.is_too_close(round_, [str(bank) for bank, _submission in came]):
        rounds.abandon(round_=round_, reason=windows.OTHER_BANKS)
        runs.fail(run=round_.run, reason=windows.OTHER_BANKS)
        return
    _freeze(round_, manifest, sorted((str(bank), submission) for bank, submission in came))


def _too_few(round_: Round, manifest: Manifest, came: int) -> bool:
    """Give a round up that too few banks have come to."""
    fixed = rounds.frozen_before(round_.subject)
    needed = len(fixed) if fixed else manifest.minimum_cohort
    if round_.phase == Phase.ADVERTISING or manifest.protocol == "secagg":
        needed = max(needed, smallest_roll(manifest))
    if came >= needed:
        return False
    reason = gettext_noop("At the deadline %(came)s of the %(needed)s banks needed had come.")
    runs.give_up(round_=round_, reason=reason, params={"came": came, "needed": needed})
    return True


def _freeze(round_: Round, manifest: Manifest, came: list[tuple[str, str]]) -> None:
    proposal = FreezeProposal(
        manifest.task,
        manifest.round,
        manifest.hash(),
        manifest.subject,
        tuple(Contribution(bank, submission) for bank, submission in came),
    )
    frozen = Round.objects.filter(pk=round_.pk, state=State.OPEN).update(
        state=State.FROZEN,
        phase=Phase.SIGNING,
        proposal=keys.signed(proposal).to_wire(),
        proposal_hash=proposal.hash(),
        frozen_at=timezone.now(),
    )
    if frozen != 1:
        raise rounds.moved_on()
    ledger.append(event="freeze", facts=freeze_facts(proposal))
    ledger.sign_head()
    audit.record(
        actor=system("rounds"), verb="round.frozen", target=round_, members=list(proposal.banks)
    )


@transaction.atomic
def sign_freeze(*, bank: Bank, round_: Round, signed: Signed) -> Round:
    """Keep a bank's word on the list; the one that makes the quorum closes the certificate."""
    row = rounds.locked(round_.pk)
    if str(bank.pk) not in roster_of(row).banks or row.proposal is None:
        raise NotHere
    key = roster_of(row).verify_key(str(bank.pk))
    word, listed = verify(signed, spec.FreezeSignature, key), proposal_of(row)
    expected = (listed.task, listed.round, listed.subject, row.proposal_hash)
    if (word.task, word.round, word.subject, word.proposal) != expected:
        raise Contradicts(
            "other_list", gettext_noop("The signature is for another list than this round's.")
        )
    _word, new = FreezeSignature.objects.get_or_create(
        round=row, bank=bank, defaults={"signed": signed.to_wire()}
    )
    if new:
        words = row.freeze_signatures.filter(signed__body__proposal=row.proposal_hash)
        if row.phase == Phase.SIGNING and words.count() >= manifest_of(row).quorum:
            _certify(row)
        audit.record(actor=node(bank), verb="round.list_signed", target=row)
        row.refresh_from_db()
    return row


def _certify(row: Round) -> None:
    """Add the listed uploads, for the record: every custodian adds them itself."""
    protocol, bodies = protocol_of(row), []
    for submission in row.submissions.filter(bank_id__in=proposal_of(row).banks):
        _header, blobs = unframe(bytes(submission.body), submission.size)
        bodies.append(blobs[0])
    aggregate = protocol.add(row, bodies)
    following = protocol.phases[protocol.phases.index(Phase.SIGNING) + 1]
    certified = Round.objects.filter(pk=row.pk, state=State.FROZEN, phase=Phase.SIGNING).update(
        phase=following,
        aggregate=aggregate,
        aggregate_hash=digest(aggregate),
        certified_at=timezone.now(),
    )
    if certified != 1:
        raise rounds.moved_on()
