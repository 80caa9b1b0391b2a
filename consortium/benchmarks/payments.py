"""Random payments with a fraud in some of them: for speed, not for detection."""

from __future__ import annotations

import numpy as np
import polars as pl

from banks.ml.schema import DAY


def random_payments(
    rows: int, *, days: int, accounts: int, counterparties: int, seed: int, start: int = 0
) -> pl.DataFrame:
    """A canonical frame in order of time from ``start`` (µs); large ones are more often fraud.

    Accounts pay equally often. Half of the payments go to any counterparty, half to one in a
    hundred: some are hundreds of times as busy as the others.
    """
    random = np.random.default_rng(seed)
    amount = np.exp(random.normal(8, 1, rows)).astype(np.int64)
    fraud = random.random(rows) < np.clip((amount / 100_000) ** 2, 0.002, 0.9)
    busy = random.random(rows) < 0.5
    counterparty = random.integers(0, np.where(busy, max(1, counterparties // 100), counterparties))
    return pl.DataFrame(
        {
            "number": np.arange(rows),
            "time": start + np.sort(random.integers(0, days * DAY, rows)),
            "account": random.integers(0, accounts, rows),
            "counterparty": counterparty,
            "amount": amount,
            "label": fraud.astype(np.int8),
        }
    ).select(
        pl.format("t{}", "number").alias("id"),
        "time",
        pl.format("a{}", "account").alias("account"),
        pl.format("c{}", "counterparty").alias("counterparty"),
        "amount",
        "label",
        pl.lit(None, pl.Int64).alias("label_known_at"),
    )
