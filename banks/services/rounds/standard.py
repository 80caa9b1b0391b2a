"""The agreement that a model owner hands to the operator when nobody asks for another one."""

from __future__ import annotations

from typing import Any

from banks.ml import courses
from banks.ml.evaluation import GRID
from banks.ml.features import FeaturePlan, feature_names
from banks.ml.models.mlp import mlp_spec
from banks.services.rounds.recipe import RunRecipe


def standard_task(
    plan: FeaturePlan | None = None,
    *,
    family: str = "mlp",
    training: dict[str, Any] | None = None,
    hidden: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """A model for payments as the JSON that a task is made of: model, recipe, and the sum that a
    run begins with. Without floats, as it goes into every manifest.

    The perceptron is standardised, which keeps its first sum small enough for any protocol.
    """
    plan = plan or FeaturePlan()
    features = feature_names(plan)
    model = courses.model_of(family, features, hidden)
    if family == "mlp":
        model = mlp_spec(features, tuple(model["hidden"])).to_json()
    recipe = RunRecipe(plan, training or courses.standard_training(family), windows=None)
    return {
        "first_step": courses.course_of(model, recipe.training).begin(seed=0).step.to_wire(),
        "metric_values": 2 * GRID.bins,
        "model": model,
        "recipe": recipe.to_json(),
    }
