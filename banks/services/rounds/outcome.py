"""What comes out of a round: every bank derives the same bytes, tests the candidate, votes, and
takes a published model into use."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from banks.ml.artifact import ModelArtifact
from banks.ml.models.registry import size_of
from banks.models import LabelEvent, ModelVersion, RoundPart, TrainingRun
from banks.services import acceptance, datasets, leakage, versions
from banks.services.rounds import course, destroying, opening
from banks.services.rounds.node import Node, manifest_of
from banks.services.rounds.recipe import RunRecipe
from banks.services.signal import summing
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.memory import peak_memory
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import (
    METRICS,
    DerivedResult,
    ModelVote,
    values_digest,
)

ENDED = {"done", "failed"}
TEST_LEASE = timedelta(minutes=10)


def derive(node: Node, part: RoundPart) -> None:
    """Open the sum from t partials sealed to this bank, derive the result, sign its hash."""
    started, added_before = time.perf_counter(), part.seconds.get("add", 0.0)
    manifest = manifest_of(part)
    with peak_memory() as peak:
        certificate, sums = opening.opened(node, part)
        banks = certificate.proposal.banks
        if manifest.step == METRICS:
            values = tuple(int(value) for value in sums)
            content, result, following = b"", values_digest(values), None
        else:
            derived = course.advance(node, manifest, sums, banks)
            content, result, following = derived.content, derived.digest, derived.next
            values = None
    message = DerivedResult(
        task=manifest.task,
        round=manifest.round,
        bank=node.identity,
        proposal=certificate.proposal.hash(),
        result=result,
        next=following,
        values=values,
    )
    taken = time.perf_counter() - started - (part.seconds.get("add", 0.0) - added_before)
    node.update(
        part,
        derived=content,
        derived_hash=result,
        seconds={**part.seconds, "derive": round(taken, 3)},
        peak_memory=max(part.peak_memory, peak.bytes),
    )
    node.centre.post(
        f"rounds/{manifest.round}/derived", node.sign(message).to_wire(), purpose="derived hash"
    )
    held = len(part.upload)
    node.update(part, stage=RoundPart.Stage.DERIVED, upload=b"")
    if held:
        destroying.record(node, destroying.What.OWN_UPLOAD, manifest.round, size=held)


def claim_vote(node: Node, run: str) -> bool:
    """Take the test of a run's candidate; False while somebody is at it."""
    mine = TrainingRun.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=Now()), consortium_run=run
    )
    with bank_scope(node.bank.pk):
        return bool(mine.update(lease_until=Now() + TEST_LEASE))


def vote(node: Node, *, task: str, run: str, candidate: str) -> None:
    """Test the candidate on this bank's own held-back window, and what it gives away of its rows.

    Says yes or no, never how many. For a train worker.
    """
    artifact = derived_model(node, run, candidate)
    with bank_scope(node.bank.pk):
        own = TrainingRun.objects.get(consortium_run=run)
    recipe = RunRecipe.from_json(own.settings).for_bank(node.bank, artifact.first_stage)
    prepared = datasets.prepare(node.bank, recipe)
    tested = leakage.examine(artifact.model, prepared)
    found = acceptance.examine(node.bank, own, artifact, recipe, prepared)
    message = ModelVote(
        task=task,
        run=run,
        bank=node.identity,
        model=candidate,
        accept=found.accepted,
        reason=found.reason,
    )
    with bank_scope(node.bank.pk):
        own.refresh_from_db()
        own.result = {**own.result, "leakage": tested}
        own.save(update_fields=["result"])
    node.centre.post(f"runs/{run}/vote", node.sign(message).to_wire(), purpose="vote")
    with bank_scope(node.bank.pk):
        audit.record(
            actor=node_actor(node.bank),
            verb="model.voted",
            target=f"run:{run}",
            bank=node.bank,
            model=candidate,
            accept=found.accepted,
            reason=found.reason,
        )


def derived_model(node: Node, run: str, model_hash: str) -> ModelArtifact:
    """A model this bank derived in a run; Refused when it did not."""
    with bank_scope(node.bank.pk):
        part = RoundPart.objects.filter(consortium_run=run, derived_hash=model_hash).first()
    if part is None:
        raise Refused(
            "model_not_derived", gettext_noop("This bank has not derived the model in question.")
        )
    return ModelArtifact.from_bytes(bytes(part.derived))


def in_a_run(node: Node) -> bool:
    """Whether a consortium run is under way in which this bank has a part."""
    with bank_scope(node.bank.pk):
        return _open_runs().exists()


def settled_runs(node: Node) -> list[str]:
    """Runs that ended at the centre: refused ones are closed here, published ones returned."""
    published = []
    with bank_scope(node.bank.pk):
        waiting = [str(run) for run in _open_runs().values_list("consortium_run", flat=True)]
    for run in waiting:
        state = node.centre.get(f"runs/{run}")
        if state["version_state"] == "published":
            published.append(run)
        elif state["state"] == "done" and summing.is_over(node, run):
            _settle(node, run)
        elif state["state"] in ENDED:
            _close(node, run, state)
    return published


def adopt(node: Node, run: str) -> ModelVersion | None:
    """Take a published model into use: judge it on this bank's own windows, build the ensemble.

    None when another worker has done it already.
    """
    state = node.centre.get(f"runs/{run}")
    candidate = str(state["candidate"])
    artifact = derived_model(node, run, candidate)
    with bank_scope(node.bank.pk):
        own = _open_runs().filter(consortium_run=run).first()
    if own is None:
        return None
    recipe = RunRecipe.from_json(own.settings).for_bank(node.bank, artifact.first_stage)
    prepared = datasets.prepare(node.bank, recipe)
    tested = own.result.get("leakage")
    if tested is None:  # this bank had no vote
        tested = leakage.examine(artifact.model, prepared)
    with bank_scope(node.bank.pk):
        if (
            not _open_runs()
            .filter(pk=own.pk)
            .update(status=TrainingRun.Status.DONE, finished_at=Now(), progress=1.0)
        ):
            return None
        version, _ensemble = versions.add_consortium_version(
            bank=node.bank,
            new=versions.NewVersion(
                origin=ModelVersion.Origin.CONSORTIUM,
                family=artifact.model.family,
                artifact=artifact.to_bytes(),
                recipe=recipe,
                parameters=size_of(artifact.model),
                scorer=artifact.model,
                lineage=_lineage(run, candidate, artifact.first_stage),
                run=own,
                leakage=tested,
            ),
            prepared=prepared,
        )
        LabelEvent.objects.filter(
            bank=node.bank, learned_by__isnull=True, known_at__lte=own.created_at
        ).update(learned_by=own)
        audit.record(
            actor=node_actor(node.bank),
            verb="version.adopted",
            target=version,
            bank=node.bank,
            run=run,
            model=candidate,
        )
    destroying.destroy_old_shares(node)
    return version


def _lineage(run: str, candidate: str, first_stage: str) -> dict[str, object]:
    """Where a version comes from: its run, rounds and receipts. Needs the bank's scope."""
    parts = list(RoundPart.objects.filter(consortium_run=run).order_by("created_at"))
    return {
        **({"first_stage": first_stage} if first_stage else {}),
        "run": run,
        "model": candidate,
        "protocol": manifest_of(parts[0]).protocol if parts else None,
        "rounds": [
            {
                "round": str(part.round),
                "step": part.purpose,
                "number": part.number,
                "receipt": part.receipt["body"]["log_index"] if part.receipt else None,
                "result": part.derived_hash,
            }
            for part in parts
        ],
    }


def _open_runs() -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(
        consortium_run__isnull=False, status=TrainingRun.Status.RUNNING
    )


def _settle(node: Node, run: str) -> None:
    """A run that summed the signal has no model to publish; it is done when it is opened."""
    with bank_scope(node.bank.pk):
        _open_runs().filter(consortium_run=run).update(
            status=TrainingRun.Status.DONE, finished_at=Now(), progress=1.0
        )


def _close(node: Node, run: str, state: dict[str, str]) -> None:
    with bank_scope(node.bank.pk):
        _open_runs().filter(consortium_run=run).update(
            status=TrainingRun.Status.FAILED,
            finished_at=Now(),
            failure_code=f"run_{state['state']}",
            failure=gettext_noop("The consortium's run ended without a published model."),
        )
