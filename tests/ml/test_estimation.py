"""What a sample says of the whole, against known values."""

from __future__ import annotations

import numpy as np
import pytest

from banks.ml.estimation import difference_of_shares, poisson_interval, recall_from_sample


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904)]
)
def test_the_interval_of_a_small_count_is_garwoods(count: int, low: float, high: float) -> None:
    found = poisson_interval(count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)


def test_recall_counts_what_the_sample_stands_for() -> None:
    found = recall_from_sample(80, 2, 10.0)
    assert found is not None
    assert found.value == pytest.approx(80 / 100)
    assert found.interval.low < 0.8 < found.interval.high
    nothing_found = recall_from_sample(80, 0, 10.0)
    assert nothing_found is not None
    assert nothing_found.value == nothing_found.interval.high == 1.0
    assert nothing_found.interval.low == pytest.approx(80 / (80 + 36.889), abs=1e-3)
    assert recall_from_sample(0, 0, 10.0) is None


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    caught, missed, share = 60, 40, 0.1
    truth = caught / (caught + missed)
    held = 0
    for found in random.binomial(missed, share, 400):
        estimate = recall_from_sample(caught, int(found), 1 / share)
        assert estimate
        held += estimate.interval.low <= truth <= estimate.interval.high
    assert held / 400 >= 0.94


def test_the_difference_of_two_shares_is_newcombes() -> None:
    found = difference_of_shares((56, 70), (48, 80))
    assert found is not None
    assert found.value == pytest.approx(0.2)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0524, 0.3339), abs=1e-3)
    assert difference_of_shares((0, 0), (1, 2)) is None
