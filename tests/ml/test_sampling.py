import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.ml.sampling import negative_rate, row_keys, sample, uniform

name = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
ids = st.lists(name, min_size=1, max_size=9)


@given(ids)
def test_a_rows_key_depends_on_its_own_id_only(names):
    together = row_keys(names)
    for name, key in zip(names, together, strict=True):
        assert row_keys([name])[0] == key


def test_the_same_rows_are_chosen_however_they_are_split_and_ordered():
    names = np.array([f"tx-{number}" for number in range(5000)])
    labels = np.zeros(5000, dtype=np.int8)
    whole = set(names[sample(labels, row_keys(names), 0.3, seed=4)])
    shuffled = np.random.default_rng(0).permutation(names)
    parts = [shuffled[:1700], shuffled[1700:]]
    split = {n for part in parts for n in part[sample(labels[: len(part)], row_keys(part), 0.3, 4)]}
    assert split == whole
    assert len(whole) == pytest.approx(1500, abs=120)


def test_seeds_choose_independently():
    keys = row_keys(np.arange(20_000).astype(str))
    both = (uniform(keys, 1) < 0.5) & (uniform(keys, 2) < 0.5)
    assert both.mean() == pytest.approx(0.25, abs=0.015)


def test_all_frauds_stay_and_rows_without_label_never():
    labels = np.array([1, -1, 0, 1, -1])
    assert sample(labels, row_keys(list("abcde")), 0.0, 1).tolist() == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_small_banks_keep_more_of_their_genuine_rows():
    assert negative_rate(50_000) == 1.0
    assert negative_rate(200_000) == 0.4
    assert negative_rate(10_000_000) == 0.1
