"""The agreement that a model owner hands to the operator when nobody asks for another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from banks.ml import courses
from banks.ml.evaluation import GRID
from banks.ml.features import FeaturePlan, feature_names
from banks.ml.features.plan import NEW
from banks.ml.models.mlp import mlp_spec
from banks.services.rounds.recipe import RunRecipe


def standard_task(
    plan: FeaturePlan | None = None,
    *,
    family: str = "mlp",
    training: dict[str, Any] | None = None,
    hidden: tuple[int, ...] | None = None,
    first_stage: str | None = None,
    windows: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A model for payments as the JSON that a task is made of: model, recipe, and the sum that a
    run begins with. Without floats, as it goes into every manifest.

    The perceptron is standardised and has no first stage, which keeps its first sum small enough
    for any protocol. Other families learn one first, unless ``first_stage`` names another (its
    hash) or none ("").
    """
    plan = plan or FeaturePlan()
    if first_stage is None:
        first_stage = NEW if family != "mlp" and plan.can_explain else ""
    plan = replace(plan, first_stage=first_stage)
    features = feature_names(plan)
    model = courses.model_of(family, features, hidden)
    if family == "mlp":
        model = mlp_spec(features, tuple(model["hidden"])).to_json()
    recipe = RunRecipe(
        plan,
        training or courses.standard_training(family),
        windows=windows,
        first_stage=courses.first_stage_training() if first_stage == NEW else None,
    )
    course = courses.staged(courses.course_of(model, recipe.training), plan, recipe.first_stage)
    return {
        "first_step": course.begin(seed=0).step.to_wire(),
        "metric_values": 2 * GRID.bins,
        "model": model,
        "recipe": recipe.to_json(),
    }
