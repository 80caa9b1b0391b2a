"""What all banks share: shops, payees, and which of them are in criminal hands when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consortium.demo.simulator.banks import DAYS

Random = np.random.Generator
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHOP_PAYMENTS_A_DAY = 2.0
CARD_SHARE = 0.66
FRAUDS_A_WINDOW = 30
PRICE_LEVELS = (0.3, 0.5, 1.0, 1.0, 1.4, 2.2)  # kiosk, grocer, restaurants, clothes, electronics


@dataclass(frozen=True)
class Windows:
    """Periods in which a place is abused; arrays of one length, days since the beginning."""

    place: Ints
    start: Floats
    end: Floats

    def open_at(self, random: Random, days: Floats) -> Ints:
        """One window index for each of ``days``, among those open then (else the nearest)."""
        distance = np.maximum(self.start - days[:, None], days[:, None] - self.end)
        rank = np.where(distance <= 0, random.random(distance.shape) - 1, distance)
        nearest: Ints = rank.argmin(axis=1)
        return nearest


@dataclass(frozen=True)
class World:
    """``shop_level`` is each shop's price level relative to a customer's usual purchase."""

    shop_level: Floats
    shop_popularity: Floats
    payees: int
    bad_shops: Windows
    mules: Windows

    @property
    def shops(self) -> int:
        return len(self.shop_level)

    @property
    def dear_shops(self) -> Ints:
        """Where stolen cards are spent: electronics."""
        return np.flatnonzero(self.shop_level >= PRICE_LEVELS[-1])


def make_world(random: Random, transactions: int, frauds: int) -> World:
    """Size the world so that a shop has about two payments a day, whatever the scale."""
    shops = max(60, int(transactions * CARD_SHARE / DAYS / SHOP_PAYMENTS_A_DAY))
    payees = max(200, transactions // 40)
    windows = max(8, int(frauds * 0.3 / FRAUDS_A_WINDOW))
    popularity = random.lognormal(0.0, 0.6, shops)
    quiet_shops = np.argsort(popularity)[: shops // 3]
    return World(
        shop_level=random.choice(PRICE_LEVELS, shops),
        shop_popularity=popularity / popularity.sum(),
        payees=payees,
        bad_shops=_windows(random, quiet_shops, windows, (24, 34)),
        mules=_windows(random, np.arange(payees), windows, (15, 30)),
    )


def _windows(random: Random, places: Ints, count: int, length: tuple[int, int]) -> Windows:
    """Windows that cover the whole time evenly, each at another place."""
    middle = (np.arange(count) + random.random(count)) * (DAYS + 1) / count
    half = random.uniform(*length, count) / 2
    place = random.choice(places, count, replace=False)
    return Windows(place, middle - half, middle + half)
