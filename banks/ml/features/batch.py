"""All features of a table at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from banks.ml.features.history import Column, History
from banks.ml.features.payment import payment_features
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.rows import Names, Rows, names_in, signed_log
from banks.ml.features.signal import Signal
from banks.ml.features.sums import BucketSums
from banks.ml.schema import EXTRA_PREFIX

if TYPE_CHECKING:
    import polars as pl


def build_features(
    frame: pl.DataFrame, plan: FeaturePlan, signal: Signal | None = None
) -> pl.DataFrame:
    """Return ``id`` and one Float32 column per feature, in the frame's row order.

    ``frame`` is one bank's canonical transactions, in any order. Every feature uses only what
    was known before its payment; NaN is missing. With ``signal`` the counterparty features come
    from those sums (which include the bank's own), else from the bank's own payments.
    """
    if plan.kind == "ready":
        return as_table(frame, _ready_columns(frame, plan), plan)
    accounts = names_in(frame["account"]) if plan.uses_accounts else Names()
    counterparties = _counterparties(frame, plan, signal)
    rows = Rows.of_frame(frame, plan, accounts, counterparties)
    sums = None
    if plan.uses_counterparties:
        sums = signal.sums if signal else BucketSums.of(rows, len(counterparties), plan)
    return as_table(frame, History.of(rows, plan, len(accounts), sums).features(rows), plan)


def fraud_rate(frame: pl.DataFrame) -> float:
    """Return the share of frauds among labelled rows, for ``FeaturePlan.fraud_prior``."""
    share = frame["label"].mean()
    return float(share) if isinstance(share, int | float) else 0.0


def as_table(frame: pl.DataFrame, columns: dict[str, Column], plan: FeaturePlan) -> pl.DataFrame:
    """Put ``id``, computed columns and the frame's own extra columns together."""
    import polars as pl

    table = [frame["id"]]
    for name in feature_names(plan):
        if name.startswith(EXTRA_PREFIX):
            table.append(frame[name].cast(pl.Float32).fill_null(np.nan))
        else:
            table.append(pl.Series(name, columns.pop(name)))
    return pl.DataFrame(table)


def _counterparties(frame: pl.DataFrame, plan: FeaturePlan, signal: Signal | None) -> Names:
    if not plan.uses_counterparties:
        return Names()
    return signal.counterparties if signal else names_in(frame["counterparty"])


def _ready_columns(frame: pl.DataFrame, plan: FeaturePlan) -> dict[str, Column]:
    amount = frame["amount"].fill_null(0).to_numpy()
    logs = signed_log(amount / plan.amount_unit)
    columns = payment_features(frame["time"].to_numpy(), amount, logs, plan)
    missing = frame["amount"].is_null().to_numpy()
    for name in ("amount", "log_amount"):
        columns[name][missing] = np.nan
    return {name: column.astype(np.float32) for name, column in columns.items()}
