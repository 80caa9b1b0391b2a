"""The agreement that a model owner hands to the operator when nobody asks for another one."""

from __future__ import annotations

from typing import Any

from banks.ml.evaluation import GRID
from banks.ml.features import FeaturePlan, feature_names
from banks.ml.federation import statistics_length
from banks.ml.models.mlp import DEFAULT_HIDDEN, mlp_spec, parameter_count
from banks.ml.training import TrainingPlan
from banks.services.rounds.recipe import RunRecipe


def standard_task(
    plan: FeaturePlan | None = None,
    *,
    training: TrainingPlan | None = None,
    hidden: tuple[int, ...] = DEFAULT_HIDDEN,
) -> dict[str, Any]:
    """A perceptron for payments as the JSON that a task is made of: model, recipe and the lengths
    of the three vectors that they imply. Without floats, as it goes into every manifest."""
    plan = plan or FeaturePlan()
    spec = mlp_spec(feature_names(plan), hidden)
    return {
        "statistic_values": statistics_length(spec),
        "parameters": parameter_count(spec),
        "metric_values": 2 * GRID.bins,
        "model": spec.to_json(),
        "recipe": RunRecipe(plan, training or TrainingPlan(), windows=None).to_json(),
    }
