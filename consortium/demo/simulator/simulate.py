"""Let the banks' customers and the criminals live for four months and a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from consortium.demo.simulator.banks import (
    BANKS,
    DAYS,
    SCALES,
    SKEW_UNTIL,
    TYPOLOGIES,
    DemoBank,
)
from consortium.demo.simulator.crimes import CRIMES, ROWS_A_CASE
from consortium.demo.simulator.customers import Customers, make_customers, ordinary
from consortium.demo.simulator.table import ATM, CARD, CHANNELS, Rows, Table, joined
from consortium.demo.simulator.world import Floats, Random, World, make_world

DAY_SECONDS = 86_400
GENUINE_KNOWN_AFTER = 7.0  # days without a complaint
MEAN_REPORT_DAYS = 3.0
LATEST_REPORT_DAYS = 7.0


@dataclass(frozen=True)
class BankData:
    """``history`` with the labels known at its end, and ``today``: the last day, without."""

    history: Table
    today: Table


def simulate(scale: str = "normal", *, seed: int = 2026, until: datetime) -> dict[str, BankData]:
    """Simulate all five banks, by slug; the last transaction lies just before ``until``.

    ``until`` needs a zone and should be a midnight there; ``scale`` is a key of ``SCALES``.
    """
    if until.tzinfo is None:
        raise ValueError("until needs a time zone")
    size = SCALES[scale]
    counts = {bank: size.transactions_of(bank) for bank in BANKS}
    total = sum(counts.values())
    world = make_world(np.random.default_rng([seed, 0]), total, int(total * size.fraud_rate))
    return {
        bank.slug: _simulate_bank(
            np.random.default_rng([seed, place]), world, bank, counts[bank], size.fraud_rate, until
        )
        for place, bank in enumerate(BANKS, start=1)
    }


def _simulate_bank(
    random: Random,
    world: World,
    bank: DemoBank,
    transactions: int,
    fraud_rate: float,
    until: datetime,
) -> BankData:
    customers = make_customers(random, world, transactions, bank.elderly)
    frauds = transactions * fraud_rate
    weekday = (until.weekday() - DAYS - 1) % 7
    rows = joined(
        [
            ordinary(random, world, customers, round(transactions - frauds), weekday),
            *_crimes(random, world, customers, bank, frauds / (DAYS + 1)),
        ]
    )
    rows = rows.take(rows.times < DAYS + 1)
    known = _known_at(random, rows)
    names = np.char.add(f"demo-{bank.slug}-", np.char.zfill(np.arange(len(rows)).astype(str), 6))
    table = _table(bank, rows, names, known, until)
    past = rows.times < DAYS
    return BankData(history=_part(table, past), today=_without_labels(_part(table, ~past)))


def _crimes(
    random: Random, world: World, customers: Customers, bank: DemoBank, frauds_a_day: float
) -> list[Rows]:
    """The bank's frauds: its own mix at first, everybody's mix later, one of each on the last day.

    More than the last day's share, so that there is something to find in it.
    """
    made = []
    for start, end in ((0, SKEW_UNTIL), (SKEW_UNTIL, DAYS), (DAYS, DAYS + 1)):
        mix = bank.mix(early=end <= SKEW_UNTIL)
        for typology, share in zip(TYPOLOGIES, mix, strict=True):
            rows = frauds_a_day * (end - start) * share
            cases = max(1, round(rows / ROWS_A_CASE[typology]))
            spread = (np.arange(cases) + random.random(cases)) / cases  # no week without its share
            days = start + spread * (end - start)
            made.append(CRIMES[typology](random, world, customers, days))
    return made


def _known_at(random: Random, rows: Rows) -> Floats:
    """When each label becomes known, in days: fraud by a report, genuine by silence."""
    report = random.gamma(2.0, MEAN_REPORT_DAYS / 2, len(rows)).clip(0.1, LATEST_REPORT_DAYS)
    return rows.times + np.where(rows.kind > 0, report, GENUINE_KNOWN_AFTER)


def _table(
    bank: DemoBank, rows: Rows, ids: NDArray[np.str_], known: Floats, until: datetime
) -> Table:
    is_known = known <= DAYS
    label = np.where(is_known, np.where(rows.kind > 0, "1", "0"), "")
    return Table(
        {
            "id": ids,
            "time": _instants(rows.times, until),
            "account": _names(f"demo-{bank.slug}-customer-", rows.who),
            "counterparty": _counterparties(bank, rows),
            "amount": np.round(rows.amount).astype(np.int64).astype(str),
            "currency": np.full(len(rows), "JPY"),
            "channel": CHANNELS[rows.channel],
            "label": label,
            "label_known_at": np.where(is_known, _instants(known, until), ""),
        },
        rows.kind,
    )


def _instants(days: Floats, until: datetime) -> NDArray[np.str_]:
    """Days since the beginning as UTC instants, ISO 8601 to the second."""
    start = int(until.timestamp()) - (DAYS + 1) * DAY_SECONDS
    seconds = start + np.floor(days * DAY_SECONDS).astype(np.int64)
    return np.char.add(seconds.astype("datetime64[s]").astype(str), "Z")


def _counterparties(bank: DemoBank, rows: Rows) -> NDArray[np.str_]:
    """Shops and payees have one name at all banks; a cash machine belongs to its bank."""
    payees = _names("demo-payee-", rows.place)
    machines = _names(f"demo-{bank.slug}-atm-", rows.place % 20)
    shops = _names("demo-shop-", rows.place)
    return np.where(rows.channel == CARD, shops, np.where(rows.channel == ATM, machines, payees))


def _names(prefix: str, numbers: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.char.add(prefix, np.char.zfill(numbers.astype(str), 5))


def _part(table: Table, which: NDArray[np.bool_]) -> Table:
    columns = {name: values[which] for name, values in table.columns.items()}
    return Table(columns, table.kind[which])


def _without_labels(table: Table) -> Table:
    nothing = np.full(len(table), "")
    return Table(table.columns | {"label": nothing, "label_known_at": nothing}, table.kind)
