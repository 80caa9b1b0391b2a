"""What asks for another training."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from banks.ml.features.plan import ACCOUNT, COUNTERPARTY, OF_THE_WHOLE_PAST
from banks.ml.monitoring import Judged

STEADY, MOVED = [1000, 1000, 0], [180, 20, 0]
OTHERS = [name for name in (*ACCOUNT, *COUNTERPARTY) if name not in OF_THE_WHOLE_PAST][:8]


def judged(moved: list[str]) -> Judged:
    """A week in which only the features ``moved`` changed."""
    names = [*OTHERS, *OF_THE_WHOLE_PAST]
    day = SimpleNamespace(
        counts={name: MOVED if name in moved else [100, 100, 0] for name in names},
        scores=[190, 10],
    )
    reference = SimpleNamespace(counts=dict.fromkeys(names, STEADY), scores=[1900, 100])
    return Judged(reference=reference, days=[day] * 7, cut=1, ages=[0.0] * 7)


@pytest.mark.parametrize(
    ("moved", "asked"),
    [
        (sorted(OF_THE_WHOLE_PAST), []),
        ([*OTHERS[:2], *sorted(OF_THE_WHOLE_PAST)], []),
        (OTHERS[:3], OTHERS[:3]),
    ],
    ids=["whole_past", "whole_past_and_two", "three"],
)
def test_what_grows_by_itself_asks_for_no_training(moved: list[str], asked: list[str]) -> None:
    found = judged(moved)
    shown = {one.name for one in found.features if one.shift.band == "act"}
    assert shown == set(moved), "each is shown as it stands"
    assert {reason["name"] for reason in found.reasons} == set(asked)
