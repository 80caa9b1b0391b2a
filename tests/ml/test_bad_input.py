"""Data and members that would spoil a model: each ends with a clear word, and never in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from banks.ml import courses
from banks.ml.acceptance import checks
from banks.ml.courses import Opened, State
from banks.ml.courses.averaging import LOSS
from banks.ml.courses.plans import NewtonPlan, to_json
from banks.ml.features import FeaturePlan, build_features, feature_names
from banks.ml.federation import LIMBS
from banks.ml.schema import DAY
from banks.ml.segments import Segment
from banks.services.scorers import aligned
from consortium.protocol.errors import Refused
from consortium.protocol.packing import smallest_layout
from tests.ml.test_courses import Rows, course_of, own, rows
from tests.ml.transactions import some_transactions

Poison = Callable[[np.ndarray, int], np.ndarray]
MEMBERS = 4
UPDATE = slice(1, -(MEMBERS + LOSS * LIMBS))


def spoilt(family: str, poison: Poison):
    """The model of four banks of which the last changes what it sends in the steps that learn."""
    banks = [own(seed, place) for place, seed in enumerate(range(1, MEMBERS + 1))]
    course = course_of(family, members=len(banks))
    state = course.begin(1)
    while isinstance(state, State):
        vectors = [course.vector(state, bank) for bank in banks]
        if state.step.name not in {"histograms", "validation"}:
            vectors[-1] = poison(vectors[-1], smallest_layout(state.step.bits).largest)
        state = course.advance(state, Opened(np.sum(vectors, axis=0), frozenset(range(MEMBERS))))
    return state


def fifty_times(vector: np.ndarray, largest: int) -> np.ndarray:
    """As far as the layout lets it; weight, one-hot field and validation loss stay as they were."""
    values = vector.copy()
    values[UPDATE] = np.clip(values[UPDATE] * 50, -largest, largest)
    return values


def sign_flipped(vector: np.ndarray, largest: int) -> np.ndarray:
    values = vector.copy()
    values[UPDATE] = np.clip(-5 * values[UPDATE], -largest, largest)
    return values


def verdicts(candidate, best, window: Rows, *segments: Segment) -> list[str]:
    found = checks(
        candidate.logits(window.X), best.logits(window.X), window.labels, window.ids, segments
    )
    return [one.verdict for one in found]


@pytest.fixture(scope="module")
def best():
    return spoilt("mlp", lambda vector, _largest: vector)


@pytest.mark.parametrize("poison", [fifty_times, sign_flipped])
def test_a_poisoned_update_is_refused_by_the_bank_s_own_test(best, poison) -> None:
    window = rows(60, count=4000)
    assert verdicts(best, best, window) == ["passed"]
    assert verdicts(spoilt("mlp", poison), best, window) == ["failed"]


def test_a_backdoor_in_one_part_is_refused_for_that_part(best) -> None:
    window = rows(61, count=8000)
    part = window.X[:, 3] > 1.2
    hidden = replace_logits(best, lambda X, said: np.where(X[:, 3] > 1.2, said.min(), said))
    assert verdicts(hidden, best, window, Segment("channel", "web", part))[1] == "failed"


def replace_logits(model, change):
    class Backdoored:
        def logits(self, X):
            return change(X, model.logits(X))

    return Backdoored()


def test_a_logistic_step_times_minus_fifty_ends_the_run_with_a_clear_word() -> None:
    with pytest.raises(Refused, match="does not fit"):
        spoilt("logistic", lambda vector, largest: np.clip(vector * -50, -largest, largest))


def test_a_bank_whose_training_window_is_empty_adds_nothing() -> None:
    nobody = own(2, 1)
    nothing = Rows(nobody.train.X[:0], nobody.train.labels[:0], nobody.train.ids[:0])
    for family in ("logistic", "trees", "elm"):
        course = course_of(family, members=2)
        vector = course.vector(course.begin(1), replace(nobody, train=nothing))
        assert not vector.any()


def test_amounts_of_a_trillion_and_a_clock_that_jumps_give_finite_scores() -> None:
    """A jump of three years leaves a gap, not a feature of before the gap."""
    payments = some_transactions(900, days=60, seed=3).with_columns(
        amount=pl.when(pl.int_range(pl.len()) % 50 == 0).then(10**14).otherwise("amount"),
        time=pl.when(pl.int_range(pl.len()) % 3 == 0)
        .then(pl.col("time") + 3 * 365 * DAY)
        .otherwise("time"),
    )
    plan = FeaturePlan()
    X = build_features(payments, plan).select(feature_names(plan)).to_numpy()
    assert not np.isinf(X).any()
    labels = payments["label"].fill_null(-1).to_numpy().astype(np.int8)
    bank = own(1)
    seen = Rows(X, labels, payments["id"].to_numpy().astype(str))
    course = courses.course_of(
        courses.model_of("logistic", feature_names(plan)), to_json(NewtonPlan(cells=256))
    )
    model = courses.train_alone(course, replace(bank, train=seen, validation=seen), seed=1)
    assert np.isfinite(model.logits(X)).all()


def test_a_model_is_not_scored_on_data_that_lack_its_feature() -> None:
    with pytest.raises(Refused, match="lack the model's feature"):
        aligned(np.zeros((1, 1)), ("amount",), ("amount", "counterparty_count_1d"))
