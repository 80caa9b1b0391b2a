"""Small made-up tables with every awkward case in them."""

from __future__ import annotations

import numpy as np
import polars as pl

from banks.ml.schema import DAY, HOUR
from banks.ml.sources import CANONICAL_TYPES

START = 17_500 * DAY  # 2017-11-30
SECOND = 1_000_000


def some_transactions(
    count: int,
    *,
    days: int = 60,
    accounts: int = 8,
    counterparties: int = 5,
    seed: int = 1,
    start: int = START,
) -> pl.DataFrame:
    """Return canonical rows with ties, nulls, late labels, bursts of fraud, and all hours."""
    random = np.random.default_rng(seed)
    # A coarse clock makes ties and payments on the edges of windows and buckets common.
    time = start + random.integers(0, days * 24 * 4, count) * (HOUR // 4)
    time += np.where(random.random(count) < 0.5, random.integers(0, 900, count), 0) * SECOND
    payee = random.integers(0, counterparties, count)
    burst = (payee * 11 * DAY) % (days * DAY)
    bad = (time - start > burst) & (time - start < burst + 9 * DAY) & (payee % 2 == 0)
    label = np.where(random.random(count) < np.where(bad, 0.9, 0.03), 1, 0)
    late = random.random(count) < 0.1
    late_by = random.integers(-3, 30, count) * DAY + random.integers(0, 24, count) * HOUR
    frame = pl.DataFrame(
        {
            "id": [f"t{index}" for index in range(count)],
            "time": time,
            "account": [f"a{code}" for code in random.integers(0, accounts, count)],
            "counterparty": [f"c{code}" for code in payee],
            "amount": np.exp(random.normal(8, 2, count)).astype(np.int64),
            "label": label,
            "label_known_at": time + late_by,
        }
    )
    risk = pl.Series("first_stage", random.integers(0, 257, count) / 256)
    return frame.with_columns(
        risk,
        label=_hidden(frame["label"], random.random(count) < 0.1),
        label_known_at=_hidden(frame["label_known_at"], ~late),
        account=_hidden(frame["account"], random.random(count) < 0.03),
        counterparty=_hidden(frame["counterparty"], random.random(count) < 0.03),
    ).cast(CANONICAL_TYPES)


def _hidden(column: pl.Series, where: np.ndarray) -> pl.Series:
    return column.zip_with(pl.Series(~where), pl.Series([None], dtype=column.dtype))
