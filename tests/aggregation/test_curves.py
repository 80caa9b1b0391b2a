"""The centre's curve arithmetic is the banks' own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregation.curves import Curve
from banks.ml import evaluation
from consortium.protocol.errors import Refused

SPARSE = st.dictionaries(st.integers(0, 1023), st.integers(1, 10_000), max_size=30)


def histogram(sparse: dict[int, int]) -> np.ndarray:
    flat = np.zeros(2 * evaluation.GRID.bins, dtype=np.int64)
    for place, count in sparse.items():
        flat[place] = count
    return flat.reshape(2, -1)


@settings(max_examples=60, deadline=None)
@given(SPARSE, st.integers(0, 511))
def test_the_centre_measures_as_every_bank_measures_itself(sparse, cut):
    hist = histogram(sparse)
    curve = Curve.of(hist.ravel().tolist())
    theirs = evaluation.confusion_at(hist, float(evaluation.GRID.edges[cut]))
    ours = curve.at(cut)
    assert vars(ours) == vars(theirs)
    assert (ours.precision, ours.recall, ours.f1) == (theirs.precision, theirs.recall, theirs.f1)
    expected = evaluation.histogram_average_precision(hist)
    assert curve.average_precision == (None if expected is None else pytest.approx(expected))
    assert curve.recall_at_precision() == evaluation.recall_at_precision(hist)
    points = [(p.recall, p.precision) for p in evaluation.precision_recall_curve(hist)]
    assert np.array(curve.points()) == pytest.approx(np.array(points))


def test_the_grid_is_the_same():
    curve = Curve.of([1] * 1024)
    assert curve.bins == evaluation.GRID.bins
    assert [curve.threshold(cut) for cut in range(512)] == list(evaluation.GRID.edges)


def test_the_best_threshold_has_the_highest_f1():
    hist = histogram({10: 100, 512 + 10: 1, 400: 3, 512 + 400: 20})
    curve = Curve.of(hist.ravel().tolist())
    assert curve.best_cut() == 400


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3], [1, -1]])
def test_what_is_no_pair_of_histograms_is_refused(values):
    with pytest.raises(Refused):
        Curve.of(values)
