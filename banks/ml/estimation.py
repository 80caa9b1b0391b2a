"""What samples say of a whole: exact intervals for small counts, differences of two shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from consortium.intervals import Interval, wilson

TAIL = 0.025


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval."""

    value: float
    interval: Interval


def poisson_interval(count: int) -> Interval:
    """The exact 95 % interval of a Poisson mean from one count (Garwood 1936)."""
    low = 0.0 if count == 0 else _root(lambda mean: 1 - _at_most(count - 1, mean) - TAIL, count)
    high = _root(lambda mean: TAIL - _at_most(count, mean), count + 20 + 5 * math.sqrt(count))
    return Interval(low, high)


def recall_from_sample(caught: int, found: int, stands_for: float) -> Estimate | None:
    """Recall when ``found`` frauds in a random sample below the threshold each stand for others.

    ``stands_for`` is how many transactions below the threshold one looked-at sample represents.
    The interval is that of the missed frauds; those caught are counted, not estimated.
    """
    if caught + found == 0:
        return None
    missed = poisson_interval(found)

    def recall(below: float) -> float:
        return caught / (caught + below * stands_for) if caught else 0.0

    return Estimate(recall(found), Interval(recall(missed.high), recall(missed.low)))


def difference_of_shares(first: tuple[int, int], second: tuple[int, int]) -> Estimate | None:
    """First share minus second, each (successes, trials), with Newcombe's hybrid interval."""
    one, two = wilson(*first), wilson(*second)
    if one is None or two is None:
        return None
    p, q = first[0] / first[1], second[0] / second[1]
    low = p - q - math.hypot(p - one.low, two.high - q)
    high = p - q + math.hypot(one.high - p, q - two.low)
    return Estimate(p - q, Interval(low, high))


def _at_most(count: int, mean: float) -> float:
    """P(X ≤ count) of a Poisson variable."""
    if mean <= 0:
        return 1.0
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _root(rising: Callable[[float], float], high: float) -> float:
    """Where a rising function crosses 0 between 0 and ``high``."""
    low = 0.0
    for _ in range(80):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
