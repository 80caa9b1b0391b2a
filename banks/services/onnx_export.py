"""A version as a file for other tools."""

from __future__ import annotations

from banks.ml.models import Model
from banks.models import ModelVersion
from banks.services.scorers import Ensemble, scorer_of
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.tenancy import bank_scope


def export_onnx(*, version: ModelVersion, actor: Actor) -> bytes:
    """The version as ONNX, with its features and its artifact's hash inside; audited."""
    from banks.ml.export import to_onnx

    with bank_scope(version.bank_id):
        scorer = scorer_of(version)
        audit.record(actor=actor, verb="version.exported", target=version, bank=version.bank)
    parts: list[tuple[Model, float]] = (
        [(scorer.own, scorer.weight), (scorer.consortium, 1.0 - scorer.weight)]
        if isinstance(scorer, Ensemble)
        else [(scorer, 1.0)]  # type: ignore[list-item]
    )
    about = {"artifact_sha256": version.artifact_sha256, "version": str(version.number)}
    if first_stage := version.feature_plan.get("first_stage"):
        about["first_stage"] = first_stage  # makes the features of unexplained frauds
    return to_onnx(parts, scorer.features, about)
