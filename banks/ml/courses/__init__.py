"""Courses by the family that a task's model names."""

from __future__ import annotations

from typing import Any

from banks.ml.courses.alone import train_alone
from banks.ml.courses.averaging import Averaging
from banks.ml.courses.base import Course, Opened, Own, State
from banks.ml.courses.blend import BlendCourse
from banks.ml.courses.first_stage import FirstStageCourse, learn_first_stage
from banks.ml.courses.forest import ForestCourse
from banks.ml.courses.logistic import NewtonCourse
from banks.ml.courses.oneshot import OneshotCourse
from banks.ml.courses.plans import ForestPlan, NewtonPlan, OneshotPlan, read, to_json
from banks.ml.courses.rehearsal import Rehearsed, rehearse
from banks.ml.courses.staged import Staged, first_stage_in, is_first
from banks.ml.features.plan import NEW, FeaturePlan
from banks.ml.first_stage import plan_below
from banks.ml.models.elm import DEFAULT_NEURONS
from banks.ml.models.mlp import DEFAULT_HIDDEN
from banks.ml.models.spec import ModelSpec
from banks.ml.training import TrainingPlan
from consortium.protocol.errors import Refused, gettext_noop

__all__ = [
    "FAMILIES",
    "Course",
    "Opened",
    "Own",
    "Rehearsed",
    "State",
    "course_of",
    "features_of",
    "first_stage_course",
    "first_stage_in",
    "first_stage_training",
    "is_first",
    "learn_first_stage",
    "model_of",
    "rehearse",
    "staged",
    "standard_training",
    "train_alone",
]

FAMILIES = ("logistic", "trees", "blend", "elm", "mlp")
HIDDEN = {"mlp": DEFAULT_HIDDEN, "elm": (DEFAULT_NEURONS,)}


def model_of(
    family: str, features: tuple[str, ...], hidden: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """What is to be learned, for a manifest. Its inputs are 0: their number follows from sums."""
    layers = HIDDEN.get(family, ()) if hidden is None else hidden
    return ModelSpec(family, tuple(features), inputs=0, hidden=layers).to_json()


def standard_training(family: str) -> dict[str, Any]:
    """How a family learns when nobody asks for anything else."""
    if family == "blend":
        return {part: standard_training(part) for part in ("logistic", "trees")}
    if family == "mlp":
        return dict(TrainingPlan().to_json())
    plans: dict[str, object] = {
        "logistic": NewtonPlan(),
        "trees": ForestPlan(),
        "elm": OneshotPlan(),
    }
    return dict(to_json(plans[family]))


def course_of(
    model: dict[str, Any],
    training: Any,
    *,
    members: int = 1,
    clip: str = "0.25",
    weight_cap: str = "100000",
) -> Course:
    """The course that a manifest's model and training plan describe, for so many members.

    Raises Refused when either is not valid.
    """
    spec = ModelSpec.from_json(model)
    if spec.family == "mlp":
        plan = TrainingPlan.from_json(training)
        return Averaging(spec, plan, members, float(clip), float(weight_cap))
    if spec.family == "logistic":
        return NewtonCourse(spec.features, read(NewtonPlan, training))
    if spec.family == "trees":
        return ForestCourse(spec.features, read(ForestPlan, training))
    if spec.family == "elm" and len(spec.hidden) == 1:
        return OneshotCourse(spec.features, spec.hidden[0], read(OneshotPlan, training))
    if spec.family == "blend" and isinstance(training, dict):
        return _blend(spec.features, training)
    raise Refused("family", gettext_noop("The model's family is unknown."))


def staged(course: Course, plan: FeaturePlan, training: Any) -> Course:
    """The course, after a first stage where the plan of its features asks for a new one."""
    if plan.first_stage != NEW:
        return course
    return Staged(first_stage_course(plan, training), course)


def first_stage_course(plan: FeaturePlan, training: Any = None) -> FirstStageCourse:
    """How the first stage of these features is learned."""
    return FirstStageCourse(plan_below(plan), read(NewtonPlan, training or first_stage_training()))


def first_stage_training() -> dict[str, Any]:
    """How a first stage is learned when nobody asks for anything else."""
    return dict(to_json(NewtonPlan(rounds=5)))


def features_of(model: dict[str, Any]) -> tuple[str, ...]:
    """The features that a model is agreed to use, in their order."""
    return ModelSpec.from_json(model).features


def _blend(features: tuple[str, ...], training: dict[str, Any]) -> BlendCourse:
    if set(training) != {"logistic", "trees"}:
        raise Refused("training_plan", gettext_noop("The training plan is not complete."))
    return BlendCourse(
        NewtonCourse(features, read(NewtonPlan, training["logistic"])),
        ForestCourse(features, read(ForestPlan, training["trees"])),
    )
