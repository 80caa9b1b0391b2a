"""A bank's test of a candidate before it votes: on its own held-back window, against the best."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.ml.acceptance import Check, checks
from banks.ml.artifact import ModelArtifact
from banks.ml.features.plan import FeaturePlan
from banks.ml.segments import by_amount, by_channel
from banks.models import ModelVersion, TrainingRun
from banks.services.datasets import Part, Prepared, Recipe, prepare
from banks.services.scorers import aligned
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

REASONS = {
    "all": "worse than the best so far on this bank's held-back window",
    "channel": "worse than the best so far in one channel of this bank",
    "amount": "worse than the best so far in one band of amounts of this bank",
}
"""They cross the wire: which channel or band is never named."""


@dataclass(frozen=True)
class Acceptance:
    """The test's checks; empty where there is nothing to compare with."""

    checks: tuple[Check, ...]
    against: int | None = None

    @property
    def accepted(self) -> bool:
        return not self.reason

    @property
    def reason(self) -> str:
        """Why not; "" where nothing is clearly worse."""
        failed = next((one for one in self.checks if one.verdict == "failed"), None)
        return REASONS[failed.kind] if failed else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "against": self.against,
            "checks": [{**asdict(one), "verdict": one.verdict} for one in self.checks],
        }


def examine(
    bank: Bank, run: TrainingRun, candidate: ModelArtifact, recipe: Recipe, prepared: Prepared
) -> Acceptance:
    """Judge the candidate and keep the result with this bank's part of the run.

    ``prepared`` are the rows of ``recipe``, the candidate's; the best so far sees the same
    payments with its own features.
    """
    version = _best_so_far(bank)
    found = Acceptance(())
    if version is not None:
        window = prepared.validation
        found = Acceptance(
            tuple(
                checks(
                    candidate.model.logits(window.X),
                    _logits(bank, version, recipe, prepared),
                    window.labels,
                    _accounts(window),
                    (*by_channel(window.channels), *by_amount(window.amounts)),
                )
            ),
            against=version.number,
        )
    with bank_scope(bank.pk):
        run.refresh_from_db()
        run.result = {**run.result, "acceptance": found.to_json()}
        run.save(update_fields=["result"])
    return found


def _best_so_far(bank: Bank) -> ModelVersion | None:
    """The consortium model in use."""
    with bank_scope(bank.pk):
        return ModelVersion.objects.filter(
            origin=ModelVersion.Origin.CONSORTIUM, status=ModelVersion.Status.PUBLISHED
        ).first()


def _logits(
    bank: Bank, version: ModelVersion, recipe: Recipe, prepared: Prepared
) -> NDArray[np.float64]:
    """What a version says of the same payments, seen with its own features."""
    model = ModelArtifact.from_bytes(bytes(version.artifact)).model
    plan = FeaturePlan.from_json(version.feature_plan)
    seen = prepared if plan == recipe.plan else prepare(bank, Recipe(plan, recipe.windows))
    if not np.array_equal(seen.validation.keys, prepared.validation.keys):
        raise Refused(
            "data_changed",
            gettext_noop("Transactions came in while the candidate was tested; test it again."),
        )
    return model.logits(aligned(seen.validation.X, seen.features, model.features))


def _accounts(part: Part) -> np.ndarray[Any, Any]:
    return np.where(part.accounts == "", part.ids, part.accounts)
