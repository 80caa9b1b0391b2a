"""What a new version gives away about this bank's rows, before anybody is offered it."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from banks.ml.models import Model
from banks.ml.segments import by_amount, by_channel
from banks.services.datasets import Prepared
from banks.services.scorers import aligned


def examine(model: Model, prepared: Prepared, *, seed: int = 0) -> dict[str, Any]:
    """The membership-inference test as JSON; empty where frauds are too few or it is off.

    For a train worker: it trains ``LEAKAGE_SHADOWS`` small models and as many controls.
    """
    if not settings.LEAKAGE_SHADOWS:
        return {}
    from banks.ml.privacy.audit import audit_model

    part = prepared.train
    found = audit_model(
        model,
        aligned(part.X, prepared.features, model.features),
        part.labels,
        [*by_channel(part.channels), *by_amount(part.amounts)],
        seed=seed,
        count=settings.LEAKAGE_SHADOWS,
    )
    return found.to_json() if found else {}
