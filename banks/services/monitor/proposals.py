"""Drift asks for a training, a person answers: nothing is trained because of a number alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from banks.models import ModelVersion, MonitorReference, RetrainingProposal, TrainingRun
from banks.services import training
from banks.services.monitor.judging import judged
from consortium.accounts import audit
from consortium.accounts.actors import Actor, system
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

QUIET: Final = timedelta(days=14)
"""After an answer the same version is not asked about again for this long."""

Status = RetrainingProposal.Status


def consider(*, bank: Bank, version: ModelVersion) -> RetrainingProposal | None:
    """Propose a training where the version that scores drifted beyond its band; at most one waits.

    Proposals about other versions are overtaken. Call in the bank's scope.
    """
    RetrainingProposal.objects.filter(bank=bank, status=Status.OPEN).exclude(
        version=version
    ).update(status=Status.OVERTAKEN, decided_at=timezone.now())
    reference = MonitorReference.objects.filter(version=version, problem="").first()
    reasons = judged(reference).reasons if reference and reference.scores else []
    if not reasons or _asked_lately(bank, version):
        return None
    return propose(bank=bank, version=version, reasons=reasons)


def propose(
    *, bank: Bank, version: ModelVersion, reasons: list[dict[str, object]]
) -> RetrainingProposal | None:
    """Put the question before the bank's people; None where one waits already."""
    try:
        with transaction.atomic():
            proposal = RetrainingProposal.objects.create(
                bank=bank, version=version, reasons=reasons
            )
    except IntegrityError:
        return None
    audit.record(
        actor=system("monitor", bank=bank),
        verb="retraining.proposed",
        target=proposal,
        bank=bank,
        model=str(version),
        what=[str(reason.get("name") or reason["what"]) for reason in reasons],
    )
    return proposal


def approve(
    *, bank: Bank, actor: Actor, proposal_id: uuid.UUID | str, note: str = ""
) -> TrainingRun:
    """Say yes: a training alone is queued, with the approver's name; the caller wakes the worker.

    Raises Refused when the proposal no longer waits or no training can be queued; then nothing
    has changed.
    """
    with bank_scope(bank.pk), transaction.atomic():
        proposal = _answered(bank, proposal_id, Status.APPROVED, actor, note)
        run = training.request_training(bank=bank, actor=actor, trigger=TrainingRun.Trigger.DRIFT)
        RetrainingProposal.objects.filter(pk=proposal.pk).update(run=run)
        audit.record(
            actor=actor, verb="retraining.approved", target=proposal, bank=bank, run=str(run.pk)
        )
    return run


def decline(*, bank: Bank, actor: Actor, proposal_id: uuid.UUID | str, note: str) -> None:
    """Say no, and why."""
    if not note.strip():
        raise Refused("note_required", gettext_noop("Say why no training is needed."), field="note")
    with bank_scope(bank.pk), transaction.atomic():
        proposal = _answered(bank, proposal_id, Status.DECLINED, actor, note)
        audit.record(
            actor=actor, verb="retraining.declined", target=proposal, bank=bank, reason=note
        )


def _answered(
    bank: Bank, proposal_id: uuid.UUID | str, status: str, actor: Actor, note: str
) -> RetrainingProposal:
    answered = RetrainingProposal.objects.filter(
        bank=bank, pk=proposal_id, status=Status.OPEN
    ).update(
        status=status,
        decided_by=actor.user,
        decided_at=timezone.now(),
        note=note.strip()[:200],
    )
    if not answered:
        raise Refused(
            "not_waiting", gettext_noop("This proposal no longer waits; reload the page.")
        )
    return RetrainingProposal.objects.get(pk=proposal_id)


def _asked_lately(bank: Bank, version: ModelVersion) -> bool:
    lately = timezone.now() - QUIET
    asked = RetrainingProposal.objects.filter(bank=bank, version=version)
    return (
        asked.filter(decided_at__isnull=True).exists()
        or asked.filter(decided_at__gte=lately).exists()
    )
