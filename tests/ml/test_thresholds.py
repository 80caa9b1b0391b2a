import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.ml import thresholds
from banks.ml.ensemble import choose_own_weight, combine
from banks.ml.evaluation import GRID, confusion_at, histogram
from consortium.protocol.errors import Refused

seeds = st.integers(0, 2**31)


def drawn(seed, rows=400, frauds=0.2):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < frauds).astype(np.int8)
    return generator.normal(size=rows) * 2 + 3 * labels, labels


@given(seeds, st.floats(0.3, 1))
def test_the_precision_threshold_reaches_it_and_no_lower_one_does(seed, target):
    hist = histogram(*drawn(seed))
    threshold = thresholds.for_precision(hist, target)
    if threshold < math.inf:
        assert confusion_at(hist, threshold).precision >= target
    for lower in GRID.edges[GRID.edges < threshold]:
        assert (confusion_at(hist, lower).precision or 0) < target


@given(seeds, st.floats(0.05, 1))
def test_the_recall_threshold_reaches_it_with_the_fewest_alerts(seed, target):
    hist = histogram(*drawn(seed))
    threshold = thresholds.for_recall(hist, target)
    assert confusion_at(hist, threshold).recall >= target - 1e-12
    for higher in GRID.edges[GRID.edges > threshold]:
        assert confusion_at(hist, higher).recall < target


@given(seeds, st.floats(0, 50))
def test_the_review_threshold_fits_the_capacity_and_uses_it(seed, per_day):
    hist = histogram(*drawn(seed))
    threshold = thresholds.for_reviews(hist, days=7, per_day=per_day)
    assert confusion_at(hist, threshold).alerts <= 7 * per_day
    below = GRID.edges[GRID.edges < threshold]
    if len(below):
        assert confusion_at(hist, below[-1]).alerts > 7 * per_day


@given(seeds)
def test_no_threshold_has_a_better_f1(seed):
    hist = histogram(*drawn(seed))
    best = confusion_at(hist, thresholds.for_best_f1(hist)).f1
    assert best == max(confusion_at(hist, edge).f1 for edge in GRID.edges)


@given(seeds, st.floats(0, 200))
def test_no_threshold_saves_more_than_the_one_by_value(seed, cost):
    logits, labels = drawn(seed)
    amounts = np.random.default_rng(seed).integers(1, 500, len(labels))

    def saved(threshold):
        alert = logits >= threshold if threshold > GRID.low else np.ones(len(logits), dtype=bool)
        return (0.5 * amounts * labels - cost)[alert].sum()

    best = thresholds.for_expected_value(logits, labels, amounts, recoverable=0.5, review_cost=cost)
    assert saved(best) == pytest.approx(max(0.0, *(saved(edge) for edge in GRID.edges)))


def test_a_window_without_frauds_alerts_on_nothing():
    hist = histogram([0.0, 1.0], [0, 0])
    assert thresholds.for_recall(hist, 0.7) == math.inf
    assert thresholds.for_best_f1(hist) == math.inf
    assert thresholds.for_precision(hist, 0.8) == math.inf


def test_expected_loss_is_probability_times_what_can_be_recovered():
    assert thresholds.expected_loss([0.0], [1000], 0.6) == pytest.approx([300])


def test_shares_outside_zero_and_one_are_refused():
    hist = histogram([0.0], [1])
    with pytest.raises(Refused):
        thresholds.for_precision(hist, 1.2)
    with pytest.raises(Refused):
        thresholds.for_reviews(hist, days=0, per_day=10)


def test_the_own_model_joins_only_when_clearly_better():
    consortium, labels = drawn(1, rows=20_000, frauds=0.05)
    own = consortium + 3 * labels
    assert choose_own_weight(own, consortium, labels).weight > 0.5
    assert choose_own_weight(consortium - 3 * labels, consortium, labels).weight == 0


def test_few_frauds_shrink_the_own_models_weight():
    consortium, labels = drawn(2, rows=400, frauds=0.1)
    chosen = choose_own_weight(consortium + 4 * labels, consortium, labels)
    assert 0 < chosen.weight < 0.4 * chosen.best


def test_an_empty_validation_window_leaves_the_consortium_model():
    assert choose_own_weight([], [], np.array([], dtype=int)).weight == 0
    assert combine([2.0], [4.0], 0.25).tolist() == [3.5]
