import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from banks.ml.encoding import INPUT_LIMIT, MAX_STATISTICS_ROWS, Standardiser, compress, statistics
from consortium.protocol.errors import Refused

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(arrays(np.float64, (7, 3), elements=anything), st.permutations(range(7)), st.integers(0, 7))
def test_statistics_of_parts_add_up_to_those_of_the_whole_in_any_order(X, order, cut):
    parts = X[order]
    summed = statistics(parts[:cut]) + statistics(parts[cut:])
    assert np.array_equal(summed, statistics(X))


def test_a_standardiser_from_sums_centres_and_scales():
    X = np.random.default_rng(1).lognormal(3, 1, size=(5000, 2))
    encoder = Standardiser.from_sums(statistics(X[:2000]) + statistics(X[2000:]), contributors=2)
    inputs = encoder.encode(X)[:, :2]
    assert np.allclose(inputs.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(inputs.std(axis=0), 1, atol=1e-3)
    assert np.allclose(encoder.mean, compress(X).mean(axis=0), atol=1e-4)


def test_a_missing_value_is_the_mean_and_says_so():
    encoder = Standardiser.from_sums(statistics([[1.0, np.nan], [3.0, 5.0]]))
    assert encoder.encode([[np.nan, 5.0]])[0].tolist() == pytest.approx([0, 0, 1, 0], abs=1e-5)


@given(arrays(np.float64, (3, 2), elements=anything))
def test_no_value_however_large_leaves_the_input_range(X):
    encoder = Standardiser.from_sums(statistics([[10.0, 0.0], [20.0, 0.0], [1e12, 0.0]]))
    inputs = encoder.encode(X)
    assert np.isfinite(inputs).all()
    assert np.abs(inputs).max() <= INPUT_LIMIT


def test_a_full_bank_of_enormous_amounts_fits_56_bits():
    one = np.abs(statistics([[1e300], [-1e300]])).max() / 2
    assert one * MAX_STATISTICS_ROWS < 2**55


def test_a_feature_that_nobody_has_and_a_constant_one_stay_harmless():
    encoder = Standardiser.from_sums(statistics([[np.nan, 7.0], [np.nan, 7.0]]))
    assert encoder.scale.tolist() == [1.0, 1.0]
    assert encoder.encode([[4.0, 7.0]])[0, 1] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("sums", [[1, 2], [-1, 0, 0], [1, 0, -5], [2**40, 0, 0]])
def test_impossible_sums_are_refused(sums):
    with pytest.raises(Refused):
        Standardiser.from_sums(sums)


def test_another_number_of_columns_is_refused():
    encoder = Standardiser.from_sums(statistics([[1.0, 2.0]]))
    with pytest.raises(Refused) as refusal:
        encoder.encode([[1.0]])
    assert refusal.value.code == "features_shape"
