"""Courses: what banks learn by sums, from states that every bank derives alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from banks.ml import courses
from banks.ml.artifact import ModelArtifact
from banks.ml.courses import Opened, Own, State, averaging
from banks.ml.courses.plans import ForestPlan, NewtonPlan, OneshotPlan, to_json
from banks.ml.ranking import average_precision
from banks.ml.training import TrainingPlan
from consortium.protocol.errors import Refused
from consortium.protocol.packing import smallest_layout
from tests.ml.worlds import world

NEWTON = to_json(NewtonPlan(cells=256))
FOREST = to_json(ForestPlan(trees=4, depth=3, cells=256))
PLANS = {
    "logistic": NEWTON,
    "trees": FOREST,
    "blend": {"logistic": NEWTON, "trees": FOREST},
    "elm": to_json(OneshotPlan(cells=256)),
    "mlp": TrainingPlan(
        rounds=4, epochs=8, batch_size=64, learning_rate_ppm=10_000, cells=256
    ).to_json(),
}
NAMES = tuple(f"f{i}" for i in range(6))


@dataclass(frozen=True)
class Rows:
    X: np.ndarray
    labels: np.ndarray
    ids: np.ndarray


def rows(seed: int, count: int = 700) -> Rows:
    X, labels, ids = world(rows=count, seed=seed)
    return Rows(X, np.asarray(labels, dtype=np.int8), np.char.add(f"{seed}-", ids.astype(str)))


def own(seed: int, place: int = 0) -> Own:
    return Own(train=rows(seed), validation=rows(seed + 100), seed=7, place=place)


def course_of(family: str, members: int) -> courses.Course:
    hidden = {"mlp": (4,), "elm": (8,)}.get(family)
    return courses.course_of(
        courses.model_of(family, NAMES, hidden), PLANS[family], members=members
    )


def together(course: courses.Course, banks: list[Own]):
    """Every state of the course, and the model; each bank reads the state from its bytes."""
    state, states = course.begin(1), []
    while isinstance(state, State):
        states.append(state)
        read = [State.from_bytes(state.to_bytes()) for _ in banks]
        vectors = [course.vector(*pair) for pair in zip(read, banks, strict=True)]
        largest = smallest_layout(state.step.bits).largest
        assert all(len(v) == state.step.length and np.abs(v).max() <= largest for v in vectors)
        opened = Opened(np.sum(vectors, axis=0), frozenset(range(len(banks))))
        state = course.advance(read[0], opened)
    return states, state


@pytest.mark.parametrize("family", courses.FAMILIES)
def test_every_family_learns_by_sums_and_rests_in_a_file(family):
    banks = [own(seed, place) for place, seed in enumerate((1, 2, 3))]
    states, model = together(course_of(family, members=3), banks)
    held_back = rows(50, count=2000)
    assert average_precision(model.logits(held_back.X), held_back.labels) > 0.3
    again = ModelArtifact.from_bytes(ModelArtifact(model).to_bytes()).model
    assert np.array_equal(again.logits(held_back.X), model.logits(held_back.X))
    remaining = [state.step.remaining for state in states]
    assert remaining == sorted(remaining, reverse=True), "the end only comes nearer"


@pytest.mark.parametrize("family", ["logistic", "trees", "blend", "elm"])
def test_three_banks_learn_what_one_bank_with_all_rows_learns(family):
    parts = [own(seed, place) for place, seed in enumerate((1, 2, 3))]
    pooled = replace(
        parts[0],
        train=joined([part.train for part in parts]),
        validation=joined([part.validation for part in parts]),
    )
    course = course_of(family, members=3)
    _, shared = together(course, parts)
    alone = courses.train_alone(course, pooled, seed=1)
    X = rows(50).X
    assert np.abs(shared.logits(X) - alone.logits(X)).max() < 1e-2


def joined(parts: list[Rows]) -> Rows:
    return Rows(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("X", "labels", "ids")))


def test_averaging_keeps_the_round_that_did_best_on_summed_validation():
    """With a step that grows too far, the last round is not the best one."""
    plan = TrainingPlan(
        rounds=4, epochs=6, batch_size=32, learning_rate_ppm=400_000,
        learning_rate_decay_ppm=1_500_000, cells=256,
    )  # fmt: skip
    model = courses.model_of("mlp", NAMES, (4,))
    course = courses.course_of(model, plan.to_json(), members=2, clip="4")
    banks = [own(1), own(2, 1)]
    states, kept = together(course, banks)
    assert [state.step.name for state in states] == ["histograms", *["update"] * 4, "validation"]
    losses = []
    for state in states[2:]:
        summed = sum(averaging._loss(course._model(state), bank) for bank in banks)
        losses.append(summed[0] / summed[1])
    best = int(np.argmin(losses))
    assert best < 3, losses
    np.testing.assert_array_equal(kept.parameters, states[2 + best].arrays["parameters"])


def test_a_state_does_not_name_the_run_that_it_is_from():
    """Two runs over the same rows must be known as the same, or a bank shows in the difference."""
    course = course_of("logistic", members=2)
    banks = [own(1), own(2, 1)]
    hashes = []
    for seed in (1, 2):
        state = course.begin(seed)
        summed = sum(course.vector(state, bank) for bank in banks)
        hashes.append(course.advance(state, Opened(summed)).to_bytes())
    assert hashes[0] == hashes[1]


def test_constant_and_empty_features_do_no_harm():
    spoilt = own(1)
    X = spoilt.train.X.copy()
    X[:, 0], X[:, 1] = 5.0, np.nan
    bank = replace(spoilt, train=Rows(X, spoilt.train.labels, spoilt.train.ids))
    for family in ("logistic", "trees", "elm"):
        model = courses.train_alone(course_of(family, members=1), bank, seed=1)
        assert np.isfinite(model.logits(X)).all()


def test_banks_without_any_fraud_together_are_told_so():
    bank = own(1)
    quiet = Rows(bank.train.X, np.zeros_like(bank.train.labels), bank.train.ids)
    course = course_of("logistic", members=1)
    with pytest.raises(Refused, match="fraudulent and genuine"):
        courses.train_alone(course, replace(bank, train=quiet), seed=1)


def test_one_bank_without_fraud_takes_part_like_any_other():
    quiet = own(2, 1)
    quiet = replace(
        quiet, train=Rows(quiet.train.X, np.zeros_like(quiet.train.labels), quiet.train.ids)
    )
    for family in ("logistic", "trees", "elm", "mlp"):
        _, model = together(course_of(family, members=2), [own(1), quiet])
        assert np.isfinite(model.logits(quiet.train.X)).all()


def test_counts_that_no_bank_could_have_are_refused():
    course = course_of("logistic", members=1)
    state = course.begin(1)
    counts = course.vector(state, own(1))
    counts[0] += 1
    with pytest.raises(Refused, match="impossible"):
        course.advance(state, Opened(counts))


@pytest.mark.parametrize("change", [{"rounds": 0}, {"cells": 3}, {"cells": True}, {"extra": 1}])
def test_a_bad_plan_is_refused(change):
    with pytest.raises(Refused, match="training plan"):
        courses.course_of(courses.model_of("logistic", NAMES), {**NEWTON, **change})
