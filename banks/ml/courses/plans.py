"""How the families learn by sums: agreed numbers of a manifest, all integers (ppm: per million)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from banks.ml.boosting import TreePlan
from banks.ml.models.trees import MAX_DEPTH
from banks.ml.newton import PENALTY, ROUNDS
from banks.ml.oneshot import RIDGE
from banks.ml.piecewise import CELLS
from consortium.protocol.errors import Refused, gettext_noop

PPM = 1_000_000
LARGEST = 1 << 40
MOST_TREES = 1000
MOST_ROUNDS = 50
Plan = TypeVar("Plan")


@dataclass(frozen=True)
class NewtonPlan:
    """Newton's rounds end at ``rounds``, or when the loss falls by less than ``tolerance_ppm``.

    ``cells`` is how finely each feature is counted before its edges are cut: a divisor of 2048.
    """

    rounds: int = ROUNDS
    penalty_ppm: int = round(PENALTY * PPM)
    tolerance_ppm: int = 100
    cells: int = CELLS


@dataclass(frozen=True)
class OneshotPlan:
    """An extreme learning machine's ridge, and the public seed of its hidden layer."""

    ridge_ppm: int = round(RIDGE * PPM)
    seed: int = 0
    cells: int = CELLS


@dataclass(frozen=True)
class ForestPlan(TreePlan):
    """Fewer and shallower trees than alone: every level is a sum that the banks open."""

    trees: int = 60
    depth: int = 4
    learning_rate_ppm: int = 200_000
    cells: int = CELLS


def to_json(plan: object) -> dict[str, int]:
    """Canonical, float-free description of any of these plans."""
    return {field.name: getattr(plan, field.name) for field in fields(plan)}  # type: ignore[arg-type]


def read(kind: type[Plan], body: Any) -> Plan:
    """Strict inverse of ``to_json``; raises Refused."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(body, dict) or set(body) != names:
        raise Refused("training_plan", gettext_noop("The training plan is not complete."))
    fit = all(type(value) is int and 0 <= value <= LARGEST for value in body.values())
    if not fit or not _sensible(body):
        raise Refused("training_plan", gettext_noop("The training plan holds a bad number."))
    return kind(**body)


def _sensible(body: dict[str, int]) -> bool:
    return (
        1 <= body.get("rounds", 1) <= MOST_ROUNDS
        and 1 <= body.get("trees", 1) <= MOST_TREES
        and 1 <= body.get("depth", 1) <= MAX_DEPTH
        and 1 <= body.get("feature_share_ppm", 1) <= PPM
        and 2 <= body["cells"] <= CELLS
        and CELLS % body["cells"] == 0
    )
