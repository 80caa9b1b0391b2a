import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from banks.ml.piecewise import CELLS, EdgePolicy, PiecewiseLinear, cells, class_histograms
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)
X, Y, _ = world(rows=6000)
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))


@given(arrays(np.float64, (9, 2), elements=anything), st.integers(0, 9))
def test_histograms_of_parts_add_up_and_count_every_labelled_row(X, cut):
    y = np.array([0, 1, 0, 1, -1, 0, 0, 1, 0])
    parts = class_histograms(X[:cut], y[:cut]) + class_histograms(X[cut:], y[cut:])
    assert np.array_equal(parts, class_histograms(X, y))
    assert (parts.sum(axis=(1, 2)) == 8).all()


def test_edges_do_not_depend_on_how_rows_are_divided():
    parts = sum(class_histograms(X[part::5], Y[part::5]) for part in range(5))
    divided = PiecewiseLinear.from_histograms(parts)
    for ours, theirs in zip(divided.edges, ENCODER.edges, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_rule_in_the_data_gets_a_step_at_its_place():
    amounts = np.random.default_rng(0).uniform(0, 300, 20_000)
    encoder = PiecewiseLinear.from_histograms(class_histograms(amounts[:, None], amounts > 220))
    rule = cells([[220.0]])[0, 0]
    assert {rule, rule + 1} <= set(encoder.edges[0]) or {rule - 1, rule} <= set(encoder.edges[0])


def test_a_feature_that_tells_nothing_is_dropped_once_enough_remain():
    policy = EdgePolicy(least_features=2)
    encoder = PiecewiseLinear.from_histograms(class_histograms(X, Y), policy)
    assert set(encoder.used) >= {0, 1}
    assert 5 not in encoder.used


def test_constant_and_empty_features_do_no_harm():
    odd = np.column_stack([X[:, 0], np.full(len(X), 3.0), np.full(len(X), np.nan)])
    encoder = PiecewiseLinear.from_histograms(class_histograms(odd, Y))
    assert len(encoder.edges[1]) == 2
    assert len(encoder.edges[2]) == 0
    assert np.isfinite(encoder.encode(odd)).all()


@given(arrays(np.float64, (4, 6), elements=anything))
def test_inputs_lie_between_zero_and_one_whatever_comes(X):
    inputs = ENCODER.encode(X)
    assert inputs.shape == (4, ENCODER.width)
    assert ((inputs >= 0) & (inputs <= 1)).all()


@given(arrays(np.float64, (4, 6), elements=anything))
def test_looking_up_curves_is_multiplying_the_encoding(X):
    weights = np.random.default_rng(3).normal(size=ENCODER.width)
    dense = ENCODER.encode(X).astype(np.float64) @ weights
    assert ENCODER.project(X, weights) == pytest.approx(dense, abs=1e-5)


def test_a_missing_value_has_only_its_indicator():
    row = np.full((1, 6), np.nan)
    assert ENCODER.encode(row).sum() == ENCODER.indicators.sum()


def test_inputs_of_a_feature_rise_with_it():
    values = np.sort(np.random.default_rng(0).normal(size=50)) * 3
    rows = np.tile(np.nanmedian(X, axis=0), (50, 1))
    rows[:, 0] = values
    own = ENCODER.encode(rows)[:, ENCODER.sources == 0]
    assert (np.diff(own, axis=0) >= 0).all()


def test_bins_follow_the_inner_edges():
    inner = ENCODER.edges[1][1:-1]
    found = ENCODER.bins(X)[:, 1]
    position = cells(X)[:, 1]
    missing = np.isnan(X[:, 1])
    assert (found[missing] == 0).all()
    expected = 1 + (position[~missing, None] >= inner).sum(axis=1)
    assert np.array_equal(found[~missing], expected)


def test_an_encoder_comes_back_from_its_arrays_and_refuses_broken_ones():
    again = PiecewiseLinear.from_arrays(ENCODER.arrays())
    assert np.array_equal(again.encode(X), ENCODER.encode(X))
    for name in ("edges", "counts"):
        broken = dict(ENCODER.arrays())
        broken[name] = broken[name][::-1].copy()
        with pytest.raises(Refused):
            PiecewiseLinear.from_arrays(broken)


def test_one_class_and_impossible_histograms_are_refused():
    with pytest.raises(Refused):
        PiecewiseLinear.from_histograms(class_histograms(X, np.zeros_like(Y)))
    with pytest.raises(Refused):
        PiecewiseLinear.from_histograms(np.full((1, 2, CELLS + 1), -1))


def test_few_rows_take_the_short_way_to_the_same_place():
    weights = np.random.default_rng(3).normal(size=ENCODER.width)
    assert ENCODER.project(X[:5], weights) == pytest.approx(ENCODER.project(X, weights)[:5])
    assert np.array_equal(ENCODER.bins(X[:5]), ENCODER.bins(X)[:5])
