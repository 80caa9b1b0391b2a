"""Windows: in order, apart by the label delay, inside the data."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.ml.schema import DAY
from banks.ml.windows import NAMES, Windows, choose
from consortium.protocol.errors import Refused


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    first=st.integers(0, 10**15),
    span=st.integers(10**6, 2000 * DAY),
    delay=st.integers(0, 90),
    history=st.booleans(),
)
def test_any_span_is_cut_in_order_and_apart(
    first: int, span: int, delay: int, history: bool
) -> None:
    last = first + span
    windows = choose(first, last, delay * DAY, needs_history=history)
    edges = [getattr(windows, name) for name in NAMES]
    assert edges == sorted(edges)
    assert first <= edges[0]
    assert edges[-1] + windows.label_delay == last + 1
    assert windows.validation_from - windows.train_until >= windows.label_delay
    assert windows.test_from - windows.validation_until >= windows.label_delay
    assert Windows.from_json(windows.to_json()) == windows


def test_the_handbooks_five_months_give_a_month_of_test() -> None:
    windows = choose(0, 153 * DAY - 1, 7 * DAY)
    assert 22 < windows.test_days < 26
    assert windows.label_delay == 7 * DAY
    assert windows.train_from == 132 * DAY * 15 // 100


def test_windows_that_overlap_or_leave_no_time_for_labels_are_refused() -> None:
    good = choose(0, 153 * DAY, 7 * DAY).to_json()
    for change in (
        {"validation_from": good["train_until"]},
        {"test_until": good["test_from"]},
        {"train_from": 1.5},
    ):
        with pytest.raises(Refused):
            Windows.from_json({**good, **change})
    with pytest.raises(Refused):
        Windows.from_json({"train_from": 0})


def test_a_moment_is_too_short_to_train_on() -> None:
    with pytest.raises(Refused):
        choose(5, 5, DAY)
