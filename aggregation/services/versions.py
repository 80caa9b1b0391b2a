"""What a run brings forth: the centre knows a model by its hash, the banks decide about it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from aggregation.models import ModelVersion, TrainingRun
from aggregation.services import ledger
from consortium.accounts import audit
from consortium.accounts.actors import system

State = ModelVersion.State


def propose(*, run: TrainingRun, sha256: str) -> ModelVersion:
    """The model of a run's last update round, for the banks to test and vote on."""
    last = ModelVersion.objects.filter(task=run.task).aggregate(last=Max("number"))["last"]
    version = ModelVersion.objects.create(
        task=run.task,
        run=run,
        number=(last or 0) + 1,
        sha256=sha256,
        vote_until=timezone.now() + timedelta(seconds=run.task.vote_seconds),
    )
    _log(version, "candidate")
    return version


def decide(*, version: ModelVersion, accepted: bool) -> bool:
    """Close the vote; False if it was closed already."""
    after = State.ACCEPTED if accepted else State.REJECTED
    decided = ModelVersion.objects.filter(pk=version.pk, state=State.CANDIDATE).update(
        state=after, decided_at=timezone.now()
    )
    if decided:
        _log(version, after)
    return bool(decided)


def publish(*, run: TrainingRun) -> None:
    """The accepted model of ``run`` is published; the one before retires."""
    version = run.version
    ModelVersion.objects.filter(task=run.task, state=State.PUBLISHED).update(state=State.RETIRED)
    published = ModelVersion.objects.filter(pk=version.pk, state=State.ACCEPTED).update(
        state=State.PUBLISHED, published_at=timezone.now()
    )
    if published:
        _log(version, State.PUBLISHED)


def _log(version: ModelVersion, event: str) -> None:
    facts = {
        "task": str(version.task_id),
        "run": str(version.run_id),
        "model": version.sha256,
        "state": str(event),
    }
    ledger.append(event="model", facts=facts)
    audit.record(actor=system("versions"), verb=f"model.{event}", target=version)
