"""When labels become known: the share of a day's payments whose label is known, by their age.

A payment younger than an age says nothing about that age, so each age counts only the days that
have reached it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from consortium.intervals import Interval, wilson

LONGEST: Final = 30
"""Ages are counted to this many whole days; what comes later is one bin."""
LEAST_ROWS: Final = 200


@dataclass(frozen=True)
class Known:
    """How many of the payments that reached an age in days had their label by then."""

    age: int
    known: int
    payments: int

    @property
    def share(self) -> float | None:
        return self.known / self.payments if self.payments >= LEAST_ROWS else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.known, self.payments) if self.payments >= LEAST_ROWS else None


def arrival(
    lags: ArrayLike, payments: ArrayLike, ages: ArrayLike, latest: int | None = None
) -> list[Known]:
    """One entry for each age 0 … LONGEST, from the ``latest`` days that have reached it (or all).

    ``lags`` int[D, LONGEST + 1] counts the labels of each day's payments by whole days until they
    were known, ``payments`` int[D] the payments, ``ages`` float[D] the days since each day ended.
    """
    counts = np.asarray(lags, dtype=np.int64).reshape(-1, LONGEST + 1)
    all_payments, old = np.asarray(payments, dtype=np.int64), np.asarray(ages, dtype=np.float64)
    known = counts.cumsum(axis=1)
    found = []
    for age in range(LONGEST + 1):
        reached = np.flatnonzero(old >= age)[-latest if latest else None :]
        found.append(Known(age, int(known[reached, age].sum()), int(all_payments[reached].sum())))
    return found
