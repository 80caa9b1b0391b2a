"""The published model as a gift: its bytes, and those of the first stage that it names.

Everything else stands in the members' manifest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from banks.ml.artifact import ModelArtifact
from banks.ml.first_stage import FirstStage
from banks.ml.models.registry import size_of
from banks.models import Gift, ModelVersion, RoundPart
from banks.services import datasets, first_stages, versions
from banks.services.rounds.node import Node
from banks.services.rounds.recipe import RunRecipe
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import gifts
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.gifts import GiftRequest, Offer
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Manifest

AGAIN_AFTER = timedelta(minutes=10)
"""A bank without data waits this long before it tries again to judge what it was given."""


def held(node: Node, request: GiftRequest, newest: Roster) -> tuple[bytes, ...]:
    """The task's newest model at this bank; Refused where that is another one, or none."""
    with bank_scope(node.bank.pk):
        version = _of_task(request.task).order_by("-number").first()
    if version is None or version.artifact_sha256 != request.subject:
        raise Refused(
            "other_model",
            gettext_noop("A newcomer asks for another model than this task's newest one here."),
        )
    content = bytes(version.artifact)
    named = ModelArtifact.from_bytes(content).first_stage
    return (content, first_stages.kept(node.bank, named).to_bytes()) if named else (content,)


def take(
    node: Node, row: Gift, offer: Offer, manifest: Manifest, blobs: tuple[bytes, ...]
) -> dict[str, Any]:
    """Keep the model's bytes for the train queue, which judges it on this bank's data."""
    content, *others = blobs
    try:
        named = ModelArtifact.from_bytes(content).first_stage
        brought = [FirstStage.from_bytes(other) for other in others]
    except Refused:
        raise gifts.wrong_bytes(str(row.peer)) from None
    if [first.version for first in brought] != ([named] if named else []):
        raise gifts.wrong_bytes(str(row.peer))
    for first in brought:
        first_stages.keep(node.bank, first)
    return {"state": Gift.State.RECEIVED, "content": content}


def waiting_to_install(node: Node) -> list[int]:
    """Models that were received and are no versions yet."""
    late = Q(tried_at=None) | Q(tried_at__lt=timezone.now() - AGAIN_AFTER)
    with bank_scope(node.bank.pk):
        return list(
            Gift.objects.filter(late, kind=Gift.Kind.MODEL, state=Gift.State.RECEIVED).values_list(
                "pk", flat=True
            )
        )


def install(node: Node, gift_id: int) -> ModelVersion | None:
    """Make a received model a version, judged on this bank's own windows.

    None where another worker did, where the bank has learned a newer one with the others since,
    or where its data do not allow it yet: then the gift says why, and waits.
    """
    with bank_scope(node.bank.pk):
        gift = Gift.objects.filter(pk=gift_id, state=Gift.State.RECEIVED).first()
        if gift is None or _overtaken(gift):
            return None
        Gift.objects.filter(pk=gift.pk).update(tried_at=Now())
    manifest = Manifest.from_wire(Offer.from_wire(gift.offer).manifest.body)
    artifact = ModelArtifact.from_bytes(bytes(gift.content))
    run_recipe = RunRecipe.from_json(manifest.recipe)
    recipe = run_recipe.for_bank(node.bank, artifact.first_stage)
    try:
        prepared = datasets.prepare(node.bank, recipe)
        run_recipe.require_features(artifact.model.features, prepared.features)
    except Refused as refused:
        _note(node, gift, refused)
        return None
    with bank_scope(node.bank.pk):
        installed = Gift.objects.filter(pk=gift.pk, state=Gift.State.RECEIVED).update(
            state=Gift.State.INSTALLED, content=b"", fault={}, settled_at=Now()
        )
        if not installed:
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
                lineage=_lineage(gift, manifest, artifact.first_stage),
            ),
            prepared=prepared,
        )
        Gift.objects.filter(pk=gift.pk).update(version=version)
        audit.record(
            actor=node_actor(node.bank),
            verb="gift.installed",
            target=version,
            bank=node.bank,
            run=str(gift.run),
            model=gift.subject,
            peer=str(gift.peer),
        )
    return version


def _of_task(task: str) -> QuerySet[ModelVersion]:
    """Consortium versions of one task, learned here or received; needs the bank's scope."""
    learned = RoundPart.objects.filter(task=task).values_list("consortium_run", flat=True)
    received = Gift.objects.filter(task=task, kind=Gift.Kind.MODEL).values_list("run", flat=True)
    runs = {str(run) for run in (*learned, *received)}
    return ModelVersion.objects.filter(
        origin=ModelVersion.Origin.CONSORTIUM, lineage__run__in=runs
    ).exclude(status=ModelVersion.Status.REJECTED)


def _overtaken(gift: Gift) -> bool:
    """Whether the bank has a later model of the task already; the gift is then put aside."""
    learned = RoundPart.objects.filter(task=gift.task).values_list("consortium_run", flat=True)
    runs = {str(run) for run in learned}
    newer = ModelVersion.objects.filter(
        origin=ModelVersion.Origin.CONSORTIUM, lineage__run__in=runs
    ).exists()
    if newer:
        Gift.objects.filter(pk=gift.pk, state=Gift.State.RECEIVED).update(
            state=Gift.State.OVERTAKEN, content=b"", settled_at=Now()
        )
    return newer


def _note(node: Node, gift: Gift, refused: Refused) -> None:
    params = {name: str(value) for name, value in refused.params.items()}
    said = {"code": refused.code, "sentence": refused.sentence, "params": params}
    with bank_scope(node.bank.pk):
        Gift.objects.filter(pk=gift.pk, state=Gift.State.RECEIVED).update(fault=said)


def _lineage(gift: Gift, manifest: Manifest, first_stage: str) -> dict[str, Any]:
    named = {"first_stage": first_stage} if first_stage else {}
    return {
        **named,
        "run": str(gift.run),
        "model": gift.subject,
        "received_from": {"bank": str(gift.peer), "name": gift.peer_name},
        "roster_version": manifest.roster_version,
    }
