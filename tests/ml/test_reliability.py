import numpy as np
import pytest

from banks.ml.calibration import expected_calibration_error
from banks.ml.daily import daily_hits, top_of_day
from banks.ml.evaluation import histogram
from banks.ml.intervals import value_interval
from banks.ml.ranking import sigmoid
from banks.ml.reliability import reliability
from banks.ml.schema import DAY
from banks.ml.segments import by_amount, by_channel, by_typology


def calibrated(shift=0.0, rows=40_000):
    generator = np.random.default_rng(3)
    logits = generator.normal(-3, 2, rows)
    labels = (generator.random(rows) < sigmoid(logits)).astype(np.int8)
    return logits + shift, labels


def test_true_probabilities_lie_within_chance_and_shifted_ones_do_not():
    honest = reliability(histogram(*calibrated()))
    boastful = reliability(histogram(*calibrated(shift=1.5)))
    assert honest.expected_calibration_error < 0.005 < 0.03 < boastful.expected_calibration_error
    assert honest.expected_frauds == pytest.approx(honest.frauds, rel=0.05)
    assert sum(bin.holds for bin in honest.bins) >= len(honest.bins) - 1
    assert sum(bin.holds for bin in boastful.bins) <= len(boastful.bins) / 2
    assert sum(bin.rows for bin in honest.bins) == 40_000


def test_the_error_from_counts_is_near_that_of_the_scores():
    logits, labels = calibrated(shift=1.5)
    exact = expected_calibration_error(sigmoid(logits), labels)
    found = reliability(histogram(logits, labels)).expected_calibration_error
    assert found == pytest.approx(exact, rel=0.05)


def test_nothing_measured_is_no_error():
    assert reliability(np.zeros((2, 512), dtype=np.int64)).expected_calibration_error is None


def test_an_account_is_listed_once_a_day_by_its_highest_score():
    accounts = np.array(["a", "a", "b", "c", "a", ""])
    times = np.array([0, 1, 2, 3, DAY, DAY + 1])
    logits = np.array([0.0, 5.0, 1.0, 2.0, 1.0, 9.0])
    labels = np.array([1, 0, 0, 1, 0, -1])
    counts = daily_hits(logits, labels, accounts, times)
    assert counts["to_find"] == [2, 0]
    assert counts["listed"]["10"] == [3, 1]
    assert counts["hits"]["10"] == [2, 0]
    [ten, *_] = top_of_day(counts)
    assert (ten.hits, ten.listed, ten.precision, ten.most) == (2, 4, 0.5, 0.5)
    assert ten.interval.low <= 0.5 <= ten.interval.high


def test_the_first_k_are_the_most_suspicious():
    logits, labels = np.arange(200.0), (np.arange(200) >= 190).astype(int)
    counts = daily_hits(logits, labels, [f"a{n}" for n in range(200)], np.zeros(200, dtype=int))
    assert counts["hits"]["10"] == [10]
    assert counts["hits"]["20"] == [10]
    assert top_of_day({}) == []


def test_one_large_fraud_makes_a_share_of_value_unsure():
    even = value_interval(80, 20, 80, 20)
    lumpy = value_interval(80, 20, 80**2, 20)
    assert even.high - even.low < (lumpy.high - lumpy.low) / 2
    assert value_interval(0, 0, 0, 0) is None


def test_segments_cover_each_row_once_for_each_question():
    amounts, channels = np.array([5, 99, 100, 12_345]), np.array(["web", "card", "card", ""])
    bands = list(by_amount(amounts))
    assert [band.name for band in bands] == ["1", "2", "3", "5"]
    assert np.sum([band.rows for band in bands], axis=0).tolist() == [1, 1, 1, 1]
    assert [part.name for part in by_channel(channels)] == ["card", "web"]
    assert list(by_channel(np.array(["card", "card"]))) == []
    [mule] = by_typology(np.array(["", "mule", "mule", ""]), np.array([0, 1, 0, 1]))
    assert mule.rows.tolist() == [True, True, True, False]
