"""Courses by the family that a task's model names."""

from __future__ import annotations

from typing import Any

from banks.ml.courses.averaging import Averaging
from banks.ml.courses.base import Course, Opened, Own, State
from banks.ml.models.spec import ModelSpec
from banks.ml.training import TrainingPlan
from consortium.protocol.errors import Refused, gettext_noop

__all__ = ["Course", "Opened", "Own", "State", "course_of", "features_of"]


def course_of(
    model: dict[str, Any], training: Any, *, members: int, clip: str, weight_cap: str
) -> Course:
    """The course that a manifest's model and training plan describe, for so many members.

    Raises Refused when either is not valid.
    """
    spec = ModelSpec.from_json(model)
    if spec.family == "mlp":
        plan = TrainingPlan.from_json(training)
        return Averaging(spec, plan, members, float(clip), float(weight_cap))
    raise Refused("family", gettext_noop("The model's family is unknown."))


def features_of(model: dict[str, Any]) -> tuple[str, ...]:
    """The features that a model is agreed to use, in their order."""
    return ModelSpec.from_json(model).features
