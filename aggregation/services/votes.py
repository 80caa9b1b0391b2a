"""The banks decide about a candidate; silence is no vote."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from aggregation.models import ModelVersion, TrainingRun, Vote
from aggregation.refusals import Contradicts, NotHere
from aggregation.services import runs, versions
from consortium.accounts import audit
from consortium.accounts.actors import node
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed, verify
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.spec import ModelVote

State = ModelVersion.State


@transaction.atomic
def vote(*, bank: Bank, run: TrainingRun, signed: Signed) -> ModelVersion:
    """Keep a bank's verdict; the one that decides moves the run on."""
    going = TrainingRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    version = ModelVersion.objects.select_related("task").filter(run=going).first()
    roster = Roster.from_wire(going.roster.body)
    if version is None or str(bank.pk) not in roster.banks:
        raise NotHere
    verdict = verify(signed, ModelVote, roster.verify_key(str(bank.pk)))
    if signed.signer != str(bank.pk) or verdict.bank != signed.signer:
        raise Refused("wrong_signer", gettext_noop("A bank signs for itself only."))
    if (verdict.run, verdict.model) != (str(going.pk), version.sha256):
        raise Contradicts("other_model", gettext_noop("The vote is about another model."))
    known, new = Vote.objects.get_or_create(
        version=version,
        bank=bank,
        defaults={
            "accept": verdict.accept,
            "reason": verdict.reason,
            "signed": signed.to_wire(),
        },
    )
    if known.accept != verdict.accept:
        raise Contradicts("voted_already", gettext_noop("This bank has voted otherwise."))
    if new:
        _decide(going, version, len(roster.banks), over=False)
        audit.record(actor=node(bank), verb="model.voted", target=version, accept=verdict.accept)
        version.refresh_from_db()
    return version


@transaction.atomic
def close_vote(*, version: ModelVersion, now: datetime) -> None:
    """At the end of the time to vote, what a majority did not accept is rejected."""
    run = TrainingRun.objects.select_for_update(of=("self",)).get(pk=version.run_id)
    if version.vote_until <= now:
        _decide(run, version, len(Roster.from_wire(run.roster.body).banks), over=True)


def _decide(run: TrainingRun, version: ModelVersion, banks: int, *, over: bool) -> None:
    verdicts = list(version.votes.values_list("accept", flat=True))
    accepts = sum(verdicts)
    silent = banks - len(verdicts)
    accepted = 2 * accepts > banks
    hopeless = over or 2 * (accepts + silent) <= banks
    if (accepted or hopeless) and versions.decide(version=version, accepted=accepted):
        runs.candidate_decided(run=run, accepted=accepted)
