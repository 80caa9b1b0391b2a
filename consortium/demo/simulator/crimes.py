"""Five kinds of fraud, each with what gives it away and what hides it.

A function makes the transactions of ``cases`` victims at one bank, given the day each begins.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from consortium.demo.simulator.banks import REFUND, SPECIAL, SPREE, TAKEOVER, TERMINAL, TYPOLOGIES
from consortium.demo.simulator.customers import Customers, purchase_amount
from consortium.demo.simulator.table import CARD, INTERNET, TRANSFER, Rows
from consortium.demo.simulator.world import Floats, Ints, Random, World

MINUTE = 1 / 1440
HOUR = 1 / 24


def compromised_shop(random: Random, world: World, customers: Customers, days: Floats) -> Rows:
    """Ordinary amounts by ordinary customers: only the shop, bad for weeks, tells."""
    shop = world.bad_shops.place[world.bad_shops.open_at(random, days)]
    who = random.choice(len(customers), len(days), p=customers.activity)
    amount = purchase_amount(random, world, 1.8 * customers.spend[who], shop)
    return _rows(TERMINAL, who, _at(random, days, 9, 22), CARD, shop, amount)


def stolen_card(random: Random, world: World, customers: Customers, days: Floats) -> Rows:
    """Four to seven purchases within hours, several times the usual amount, in strange shops."""
    case = np.repeat(np.arange(len(days)), random.integers(4, 8, len(days)))
    who = random.choice(len(customers), len(days), p=customers.activity)[case]
    times = _at(random, days, 14, 23.5)[case] + _pauses(random, case, 0.8 * HOUR)
    shop = random.choice(world.dear_shops, len(case))
    amount = customers.spend[who] * random.uniform(4.0, 12.0, len(case))
    return _rows(SPREE, who, times, CARD, shop, amount)


def takeover(random: Random, world: World, customers: Customers, days: Floats) -> Rows:
    """Two to four transfers at night by internet banking, to mule accounts."""
    case = np.repeat(np.arange(len(days)), random.integers(2, 5, len(days)))
    who = random.choice(np.flatnonzero(customers.online), len(days))[case]
    times = _at(random, days, 0, 5)[case] + _pauses(random, case, 12 * MINUTE)
    amount = np.round(random.uniform(80_000, 500_000, len(case)), -3)
    return _rows(TAKEOVER, who, times, INTERNET, _mules(random, world, days)[case], amount)


def special_fraud(random: Random, world: World, customers: Customers, days: Floats) -> Rows:
    """An elderly victim sends large round sums to a mule account, in banking hours, once or twice.

    Amount and hour look like a genuine gift or repair; the payee is what several banks see.
    """
    case = np.repeat(np.arange(len(days)), random.integers(1, 3, len(days)))
    who = random.choice(np.flatnonzero(customers.elderly), len(days))[case]
    times = _at(random, days, 9.5, 15)[case] + _pauses(random, case, 1.0)
    amount = np.round(random.lognormal(np.log(1_300_000), 0.5, len(case)), -4).clip(300_000)
    return _rows(SPECIAL, who, times, TRANSFER, _mules(random, world, days)[case], amount)


def refund_scam(random: Random, world: World, customers: Customers, days: Floats) -> Rows:
    """An elderly victim types a "code" that is an amount: odd sums below the machine's limit."""
    case = np.repeat(np.arange(len(days)), random.integers(1, 3, len(days)))
    who = random.choice(np.flatnonzero(customers.elderly), len(days))[case]
    times = _at(random, days, 10, 16)[case] + _pauses(random, case, 8 * MINUTE)
    amount = random.uniform(380_000, 499_999, len(case))
    return _rows(REFUND, who, times, TRANSFER, _mules(random, world, days)[case], amount)


CRIMES: dict[str, Callable[[Random, World, Customers, Floats], Rows]] = {
    TERMINAL: compromised_shop,
    SPREE: stolen_card,
    TAKEOVER: takeover,
    SPECIAL: special_fraud,
    REFUND: refund_scam,
}
ROWS_A_CASE = {TERMINAL: 1.0, SPREE: 5.5, TAKEOVER: 3.0, SPECIAL: 1.5, REFUND: 1.5}


def _at(random: Random, days: Floats, first_hour: float, last_hour: float) -> Floats:
    return np.floor(days) + random.uniform(first_hour, last_hour, len(days)) * HOUR


def _pauses(random: Random, case: Ints, mean: float) -> Floats:
    """How long after a case's first transaction each further one follows."""
    further = np.diff(case, prepend=-1) == 0
    pauses: Floats = further * random.exponential(mean, len(case))
    return pauses


def _mules(random: Random, world: World, days: Floats) -> Ints:
    return world.mules.place[world.mules.open_at(random, days)]


def _rows(
    typology: str, who: Ints, times: Floats, channel: int, place: Ints, amount: Floats
) -> Rows:
    count = len(who)
    return Rows(
        who,
        times,
        np.full(count, channel, dtype=np.int64),
        place,
        amount,
        np.full(count, TYPOLOGIES.index(typology) + 1, dtype=np.int64),
    )
