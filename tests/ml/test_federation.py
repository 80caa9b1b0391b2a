"""What a bank contributes to an update round, and what all banks make of the sum."""

from __future__ import annotations

import numpy as np
import pytest

from banks.ml.federation import UpdateForm, mean_update, update_vector
from banks.ml.training import LocalUpdate
from consortium.protocol.errors import Refused
from consortium.protocol.packing import LAYOUTS

FORM = UpdateForm(parameters=3, members=3, clip=0.5, cap=1000.0, layout=LAYOUTS["k16b24"])
DELTAS = ([0.1, -0.2, 0.0], [0.3, 0.1, -0.1], [-0.2, 0.0, 0.2])
WEIGHTS = (500, 1000, 250)


def vector(place: int, weight: int | None = None) -> np.ndarray:
    update = LocalUpdate(np.array(DELTAS[place]), weight or WEIGHTS[place], loss=0.0)
    return update_vector(update, FORM, position=place)


def test_the_mean_is_weighted_by_examples():
    mean = mean_update(sum(map(vector, range(3))), FORM, contributors=frozenset({0, 1, 2}))
    expected = np.average(DELTAS, axis=0, weights=WEIGHTS)
    assert np.abs(mean - expected).max() < 1e-4


def test_more_examples_than_the_cap_do_not_show():
    assert vector(1, 1000).tolist() == vector(1, 1_000_000).tolist()


@pytest.mark.parametrize("counted", [[0, 1], [0, 1, 2, 2]])
def test_a_sum_that_misses_or_doubles_a_bank_is_refused(counted):
    with pytest.raises(Refused, match="every member exactly once"):
        mean_update(sum(map(vector, counted)), FORM, contributors=frozenset({0, 1, 2}))


def test_an_update_of_another_length_is_refused():
    with pytest.raises(Refused, match="The update has 2 values"):
        update_vector(LocalUpdate(np.zeros(2), 1, loss=0.0), FORM, position=0)
