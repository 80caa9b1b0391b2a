"""Customers with habits, and the ordinary transactions that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consortium.demo.simulator.banks import DAYS
from consortium.demo.simulator.table import ATM, CARD, INTERNET, TRANSFER, Rows
from consortium.demo.simulator.world import CARD_SHARE, Floats, Ints, Random, World

PAYMENTS_A_DAY = 0.6
ATM_SHARE = 0.14
FAVOURITES = 12
OWN_PAYEES = 3
LOYALTY = 0.85
LARGE_TRANSFER = 0.02  # repairs, tuition, a gift to a grandchild: often to a new payee
WEEKDAY = np.array([1.0, 0.95, 0.95, 1.0, 1.15, 1.25, 0.9])


@dataclass(frozen=True)
class Customers:
    """Arrays over a bank's customers: amounts in yen, hours of the day."""

    activity: Floats
    spend: Floats
    transfer: Floats
    hour: Floats
    elderly: NDArray[np.bool_]
    online: NDArray[np.bool_]
    shops: Ints
    payees: Ints

    def __len__(self) -> int:
        return len(self.spend)


def make_customers(random: Random, world: World, transactions: int, elderly: float) -> Customers:
    count = max(60, int(transactions / DAYS / PAYMENTS_A_DAY))
    old = random.random(count) < elderly
    activity = random.gamma(2.0, 1.0, count)
    return Customers(
        activity=activity / activity.sum(),
        spend=random.lognormal(np.log(3_000), 0.5, count),
        transfer=random.lognormal(np.log(40_000), 0.6, count),
        hour=random.normal(np.where(old, 11.5, 15.5), 2.0),
        elderly=old,
        online=random.random(count) < np.where(old, 0.25, 0.7),
        shops=random.choice(world.shops, (count, FAVOURITES), p=world.shop_popularity),
        payees=random.integers(0, world.payees, (count, OWN_PAYEES)),
    )


def ordinary(random: Random, world: World, customers: Customers, count: int, weekday: int) -> Rows:
    """``count`` genuine transactions over all days; day 0 falls on ``weekday`` (Monday is 0)."""
    who = random.choice(len(customers), count, p=customers.activity)
    times = _days(random, count, weekday) + _time_of_day(random, customers.hour[who])
    channel = _channels(random, customers.online[who])
    place = np.zeros(count, dtype=np.int64)
    amount = np.zeros(count)
    for kind, buy in ((CARD, _purchases), (ATM, _withdrawals)):
        chosen = channel == kind
        place[chosen], amount[chosen] = buy(random, world, customers, who[chosen])
    chosen = (channel == INTERNET) | (channel == TRANSFER)
    place[chosen], amount[chosen] = _transfers(random, world, customers, who[chosen])
    return Rows(who, times, channel, place, amount, np.zeros(count, dtype=np.int64))


def _days(random: Random, count: int, weekday: int) -> Floats:
    weight = WEEKDAY[(np.arange(DAYS + 1) + weekday) % 7]
    return random.choice(DAYS + 1, count, p=weight / weight.sum()).astype(np.float64)


def _time_of_day(random: Random, hour: Floats) -> Floats:
    """Share of a day, around each customer's usual hour."""
    return (random.normal(hour, 3.0) % 24) / 24


def _channels(random: Random, online: NDArray[np.bool_]) -> Ints:
    draw = random.random(len(online))
    wire = np.where(online, INTERNET, TRANSFER)
    return np.where(
        draw < CARD_SHARE, CARD, np.where(draw < CARD_SHARE + ATM_SHARE, ATM, wire)
    ).astype(np.int64)


def _purchases(
    random: Random, world: World, customers: Customers, who: Ints
) -> tuple[Ints, Floats]:
    loyal = random.random(len(who)) < LOYALTY
    favourite = customers.shops[who, random.integers(0, FAVOURITES, len(who))]
    anywhere = random.choice(world.shops, len(who), p=world.shop_popularity)
    shop = np.where(loyal, favourite, anywhere)
    return shop, purchase_amount(random, world, customers.spend[who], shop)


def purchase_amount(random: Random, world: World, spend: Floats, shop: Ints) -> Floats:
    """What a customer with this usual ``spend`` pays in this shop, in yen."""
    return np.maximum(110, spend * world.shop_level[shop] * random.lognormal(0, 0.45, len(shop)))


def _withdrawals(
    random: Random, world: World, customers: Customers, who: Ints
) -> tuple[Ints, Floats]:
    notes = np.minimum(20, random.geometric(0.35, len(who)))
    return random.integers(0, world.shops, len(who)), 10_000.0 * notes


def _transfers(
    random: Random, world: World, customers: Customers, who: Ints
) -> tuple[Ints, Floats]:
    own = customers.payees[who, random.integers(0, OWN_PAYEES, len(who))]
    large = random.random(len(who)) < LARGE_TRANSFER
    known = random.random(len(who)) < np.where(large, 0.5, LOYALTY)
    payee = np.where(known, own, random.integers(0, world.payees, len(who)))
    usual = customers.transfer[who] * random.lognormal(0, 0.5, len(who))
    amount = np.where(large, random.lognormal(np.log(450_000), 0.5, len(who)), usual)
    return payee, np.round(amount, -3).clip(1_000)
