import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from banks.ml import ranking
from banks.ml.evaluation import (
    GRID,
    Confusion,
    confusion_at,
    evaluate,
    histogram,
    histogram_average_precision,
    precision_at_recall,
    precision_recall_curve,
    recall_at_precision,
    wilson,
)
from consortium.protocol.errors import Refused

scores = st.lists(st.floats(-20, 20), min_size=1, max_size=60)


def sample(rows=3000, seed=0):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < 0.05).astype(np.int8)
    return generator.normal(size=rows) * 2 - 4 + 4 * labels, labels


@given(scores, st.integers(0, 2**31))
def test_histograms_of_parts_add_up_and_lose_no_labelled_row(logits, seed):
    labels = np.random.default_rng(seed).integers(-1, 2, len(logits))
    cut = len(logits) // 2
    parts = histogram(logits[:cut], labels[:cut]) + histogram(logits[cut:], labels[cut:])
    whole = histogram(logits, labels)
    assert whole.shape == (2, 512)
    assert whole.dtype == np.int64
    assert np.array_equal(parts, whole)
    assert whole.sum() == (labels >= 0).sum()


@given(scores, st.integers(0, 511))
def test_the_matrix_counts_exactly_the_scores_at_or_above_a_grid_threshold(logits, edge):
    logits = np.clip(logits, -11.9, 11.9)
    labels = np.arange(len(logits)) % 2
    threshold = float(GRID.edges[edge])
    matrix = confusion_at(histogram(logits, labels), threshold)
    alert = logits >= threshold if edge else np.ones(len(logits), dtype=bool)
    assert matrix == Confusion(
        tp=int((alert & (labels == 1)).sum()),
        fp=int((alert & (labels == 0)).sum()),
        fn=int((~alert & (labels == 1)).sum()),
        tn=int((~alert & (labels == 0)).sum()),
    )


def test_nothing_alerts_above_infinity():
    matrix = confusion_at(histogram([5.0, 20.0], [1, 1]), math.inf)
    assert (matrix.tp, matrix.fn, matrix.precision) == (0, 2, None)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=50))
def test_average_precision_is_that_of_scikit_learn_ties_included(rows):
    logits, labels = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], int)
    if not labels.any():
        assert math.isnan(ranking.average_precision(logits, labels))
        assert histogram_average_precision(histogram(logits, labels)) is None
        return
    expected = average_precision_score(labels, logits)
    assert ranking.average_precision(logits, labels) == pytest.approx(expected)
    assert histogram_average_precision(histogram(logits, labels)) == pytest.approx(expected)


def test_the_grid_is_fine_enough_for_average_precision():
    logits, labels = sample(20_000)
    exact = ranking.average_precision(logits, labels)
    assert histogram_average_precision(histogram(logits, labels)) == pytest.approx(exact, abs=0.003)


def test_recall_at_precision_and_precision_at_recall_lie_on_the_curve():
    hist = histogram(*sample())
    curve = precision_recall_curve(hist)
    assert recall_at_precision(hist, 0.8) == max(p.recall for p in curve if p.precision >= 0.8)
    assert precision_at_recall(hist, 0.7) == max(p.precision for p in curve if p.recall >= 0.7)
    assert curve[-1].recall == 1.0
    thresholds = [point.threshold for point in curve]
    assert thresholds == sorted(thresholds, reverse=True)


def test_ratios_without_a_denominator_are_unknown_not_zero():
    matrix = Confusion(tp=0, fp=0, fn=0, tn=9)
    assert (matrix.precision, matrix.recall, matrix.f1) == (None, None, None)
    assert matrix.precision_interval is None


def test_wilson_agrees_with_the_published_example():
    interval = wilson(15, 148)  # Newcombe 1998, table I (81/263 etc.): score method
    assert (interval.low, interval.high) == (
        pytest.approx(0.0624, abs=1e-4),
        pytest.approx(0.1605, abs=1e-4),
    )
    assert wilson(0, 20).low == 0
    assert wilson(20, 20).high == 1


def test_the_bootstrap_interval_holds_the_value_and_repeats():
    hist = histogram(*sample())
    first, second = evaluate(hist, seed=1), evaluate(hist, seed=1)
    assert first == second
    interval = first.average_precision_interval
    assert interval.low < first.average_precision < interval.high


def test_few_frauds_and_none_are_said_to_be_too_few():
    none = evaluate(histogram([0.0, 1.0], [0, 0]))
    assert none.too_few_positives
    assert (none.average_precision, none.recall_at_precision, none.precision_at_recall) == (
        None,
    ) * 3
    assert not evaluate(histogram(np.arange(60) / 10, np.arange(60) % 2)).too_few_positives


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(Refused):
        histogram([0.0, math.nan], [0, 1])


def test_drawn_groups_stand_or_fall_together():
    groups = np.array(["a", "b", "a", "c", "b"])
    for counts in ranking.group_draws(groups, draws=20, seed=1):
        assert counts[0] == counts[2]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3


def test_a_better_score_is_better_beyond_its_paired_interval():
    logits, labels = sample()
    worse = logits + np.random.default_rng(1).normal(size=len(logits)) * 3
    counts = ranking.group_draws(np.arange(len(labels)), draws=100, seed=1)
    difference, low, high = ranking.paired_difference(
        ranking.average_precision, logits, worse, labels, counts
    )
    assert 0 < low < difference < high
    same = ranking.paired_difference(ranking.average_precision, logits, logits, labels, counts)
    assert same == (0, 0, 0)


def test_the_best_f1_threshold_is_the_best():
    logits, labels = sample()
    best = ranking.best_f1_threshold(logits, labels)

    def f1(threshold):
        alert = logits >= threshold
        return 2 * (alert & (labels == 1)).sum() / (alert.sum() + labels.sum())

    assert f1(best) == max(f1(threshold) for threshold in logits)
