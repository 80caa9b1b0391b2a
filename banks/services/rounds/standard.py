"""The agreement that a model owner hands to the operator when nobody asks for another one."""

from __future__ import annotations

from typing import Any

from banks.ml import courses
from banks.ml.evaluation import GRID
from banks.ml.features import FeaturePlan, feature_names
from banks.ml.models.mlp import DEFAULT_HIDDEN, mlp_spec
from banks.ml.training import TrainingPlan
from banks.services.rounds.recipe import RunRecipe


def standard_task(
    plan: FeaturePlan | None = None,
    *,
    training: TrainingPlan | None = None,
    hidden: tuple[int, ...] = DEFAULT_HIDDEN,
) -> dict[str, Any]:
    """A perceptron for payments as the JSON that a task is made of: model, recipe, and the sum
    that a run begins with. Without floats, as it goes into every manifest."""
    plan = plan or FeaturePlan()
    model = mlp_spec(feature_names(plan), hidden).to_json()
    recipe = RunRecipe(plan, (training or TrainingPlan()).to_json(), windows=None)
    # The first step is the same for any members and limits of an update.
    course = courses.course_of(model, recipe.training, members=1, clip="1", weight_cap="1")
    return {
        "first_step": course.begin(seed=0).step.to_wire(),
        "metric_values": 2 * GRID.bins,
        "model": model,
        "recipe": recipe.to_json(),
    }
