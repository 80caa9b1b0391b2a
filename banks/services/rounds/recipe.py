"""How a run's manifest says what to learn from: features, windows, training; all of it agreed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from banks.ml.features import FeaturePlan
from banks.services import datasets
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused, gettext_noop


@dataclass(frozen=True)
class RunRecipe:
    """``windows`` None lets each bank cut its own span of data in the agreed proportions;
    ``training`` is the plan of the model's family.
    """

    plan: FeaturePlan
    training: dict[str, Any]
    windows: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """Float-free, for a manifest."""
        plan = self.plan.to_json()
        return {
            "plan": {**plan, "fraud_prior": repr(plan["fraud_prior"])},
            "training": self.training,
            "windows": self.windows,
        }

    @classmethod
    def from_json(cls, body: Any) -> RunRecipe:
        """Strict inverse of ``to_json``; raises Refused."""
        if not isinstance(body, dict) or set(body) != {"plan", "training", "windows"}:
            raise Refused("recipe", gettext_noop("The run's recipe is not complete."))
        plan = body["plan"]
        return cls(
            plan=FeaturePlan.from_json({**plan, "fraud_prior": float(plan["fraud_prior"])}),
            training=body["training"],
            windows=body["windows"],
        )

    def for_bank(self, bank: Bank) -> datasets.Recipe:
        return datasets.recipe_for(bank, windows=self.windows, plan=self.plan)

    def require_features(self, wanted: tuple[str, ...], features: tuple[str, ...]) -> None:
        """Refuse when the model asks for other features than this bank's data give."""
        if wanted != features:
            missing = sorted(set(wanted) - set(features))
            raise Refused(
                "other_features",
                gettext_noop(
                    "The run's model needs features that this bank's data do not give: %(missing)s."
                ),
                missing=", ".join(missing) or "another order",
            )
