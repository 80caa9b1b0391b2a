"""How a run's manifest says what to learn from: features, windows, training; all of it agreed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from banks.ml.features import FeaturePlan
from banks.ml.first_stage import plan_below
from banks.services import datasets
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused, gettext_noop

NAMES: Final = {"first_stage", "plan", "training", "windows"}


@dataclass(frozen=True)
class RunRecipe:
    """``windows`` None lets each bank cut its own span of data in the agreed proportions;
    ``training`` is the plan of the model's family, ``first_stage`` that of the first stage where
    the run learns one.
    """

    plan: FeaturePlan
    training: dict[str, Any]
    windows: dict[str, Any] | None
    first_stage: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Float-free, for a manifest."""
        plan = self.plan.to_json()
        return {
            "first_stage": self.first_stage,
            "plan": {**plan, "fraud_prior": repr(plan["fraud_prior"])},
            "training": self.training,
            "windows": self.windows,
        }

    @classmethod
    def from_json(cls, body: Any) -> RunRecipe:
        """Strict inverse of ``to_json``; raises Refused."""
        if not isinstance(body, dict) or set(body) | {"first_stage"} != NAMES:
            raise Refused("recipe", gettext_noop("The run's recipe is not complete."))
        plan = body["plan"]
        return cls(
            plan=FeaturePlan.from_json({**plan, "fraud_prior": float(plan["fraud_prior"])}),
            training=body["training"],
            windows=body["windows"],
            first_stage=body.get("first_stage"),  # tasks agreed without one do not name it
        )

    def for_bank(self, bank: Bank, first_stage: str = "") -> datasets.Recipe:
        """How this bank's rows are made; under the ``first_stage`` that the run came to, if any."""
        plan = replace(self.plan, first_stage=first_stage) if first_stage else self.plan
        return datasets.recipe_for(bank, windows=self.windows, plan=plan)

    def for_first_stage(self, bank: Bank) -> datasets.Recipe:
        """The same rows with what a first stage looks at."""
        return datasets.recipe_for(bank, windows=self.windows, plan=plan_below(self.plan))

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
