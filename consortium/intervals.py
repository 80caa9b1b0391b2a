"""How sure a share is: the interval that stands beside every proportion."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval | None:
    """The 95 % score interval of a proportion (Wilson 1927); None without trials."""
    if trials == 0:
        return None
    share = successes / trials
    denominator = 1 + Z_95**2 / trials
    centre = (share + Z_95**2 / (2 * trials)) / denominator
    half = Z_95 / denominator * math.sqrt(share * (1 - share) / trials + Z_95**2 / (4 * trials**2))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
