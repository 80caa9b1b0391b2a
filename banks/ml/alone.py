"""Phase 0: any family, trained on one bank's rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from banks.ml import courses
from banks.ml.courses import Own, edges
from banks.ml.courses.edges import Edges
from banks.ml.models.base import Model
from banks.ml.models.mlp import MLP, initial_parameters
from banks.ml.models.spec import ModelSpec
from banks.ml.training import Step, TrainingPlan, fit_local

MOST_EPOCHS = 30
Report = Callable[[float, "list[dict[str, float | None]]"], None]


def learn_alone(
    family: str, features: tuple[str, ...], own: Own, *, seed: int, report: Report
) -> tuple[Model, dict[str, Any]]:
    """A model of this family, and what is worth keeping about how it came.

    ``report`` hears the share that is done and, for the perceptron, the losses so far.
    """
    if family == "mlp":
        return _perceptron(features, own, seed, report)
    course = courses.course_of(
        courses.model_of(family, features), courses.standard_training(family)
    )
    model = courses.train_alone(
        course, own, seed=seed, progress=lambda done, most: report(done / most, [])
    )
    return model, {}


def _perceptron(
    features: tuple[str, ...], own: Own, seed: int, report: Report
) -> tuple[Model, dict[str, Any]]:
    """Alone it needs no rounds: it stops when its own validation loss does not fall any more."""
    plan = replace(TrainingPlan(), epochs=MOST_EPOCHS)
    cut = Edges.cut(edges.vector(own, plan.cells), len(features))
    spec = ModelSpec.from_json(courses.model_of("mlp", features))
    spec = replace(spec, inputs=cut.encoder.width)
    start = initial_parameters(spec, seed)
    start[-1] = cut.prior
    losses: list[dict[str, float | None]] = []

    def hear(step: Step) -> None:
        losses.append({"loss": step.loss, "validation_loss": step.validation_loss})
        report(step.epoch / step.epochs, losses)

    fitted = fit_local(
        spec,
        cut.examples(own.train, seed),
        replace(cut, rate_ppm=edges.PPM).examples(own.validation, seed),
        plan,
        seed=seed,
        initial=start,
        progress=hear,
    )
    model = MLP(spec, cut.encoder, fitted.parameters)
    return model, {"examples": fitted.examples, "best_epoch": fitted.best_epoch, "losses": losses}
