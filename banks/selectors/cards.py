"""A model card (Mitchell et al. 2019): what a version is for, made of, and good for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from banks.models import ModelVersion

FORMAT = 1


def card_of(version: ModelVersion) -> dict[str, Any]:
    """JSON-safe, in the reader's language where it is prose. Needs the bank's scope."""
    return {
        "format": FORMAT,
        "version": version.number,
        "origin": version.origin,
        "family": version.family,
        "status": version.status,
        "artifact_sha256": version.artifact_sha256,
        "parameters": version.parameters,
        "made_at": version.created_at.isoformat(),
        "trained_from": version.trained_from and version.trained_from.isoformat(),
        "trained_until": version.trained_until and version.trained_until.isoformat(),
        "lineage": version.lineage,
        "features": version.feature_plan,
        "first_stage": version.feature_plan.get("first_stage") or None,
        "intended_use": _(
            "Ranks this bank's own payments by the probability of fraud, for people to review. It "
            "does not decide, and it is not meant for other banks' payments, credit, or persons."
        ),
        "limits": limits_of(version),
        "acceptance": acceptance_of(version),
        "leakage": version.leakage or None,
    }


def limits_of(version: ModelVersion) -> list[str]:
    """What a reader must know before trusting a score."""
    found = [
        _("Frauds that nobody has reported are counted as genuine: recall is of known fraud only."),
        _("Fraud changes: figures hold for the window they were measured on."),
    ]
    if version.family in {"trees", "blend"}:
        found.append(
            _(
                "Trees are grown from summed histograms of the banks: more sums were opened for "
                "this version than for other families, and they disclose more."
            )
        )
    return found


def acceptance_of(version: ModelVersion) -> dict[str, Any] | None:
    """This bank's test of the candidate, where the version came out of a vote."""
    run = version.run
    if run is None or version.origin != ModelVersion.Origin.CONSORTIUM:
        return None
    found: dict[str, Any] | None = run.result.get("acceptance")
    return found
