"""Features and scores of a period in the bins of a reference, from a draw of its payments.

Only the past of the accounts and counterparties that were drawn is read for them, not the whole
history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from banks.ml import drift
from banks.ml.evaluation import GRID
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.models import ModelVersion
from banks.services import datasets, first_stages
from banks.services.lookback import microseconds
from banks.services.scorers import Scorer, aligned
from banks.services.signal import joint
from consortium.accounts.models import Bank

if TYPE_CHECKING:
    import polars as pl

ROWS_OF_A_DAY: Final = 1_000
ROWS_OF_THE_REFERENCE: Final = 20_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """Drawn payments in order of time: their days, features float32[n, F], logits float64[n]."""

    days: Any
    names: tuple[str, ...]
    X: Any
    logits: Any

    def __len__(self) -> int:
        return len(self.logits)

    def of_day(self, day: date) -> Drawn:
        rows = self.days == np.datetime64(day)
        return Drawn(self.days[rows], self.names, self.X[rows], self.logits[rows])

    def edges(self) -> dict[str, list[float]]:
        """The inner edges of each feature's deciles."""
        return {
            name: drift.edges_of(self.X[:, place]).tolist() for place, name in enumerate(self.names)
        }

    def counts(self, edges: dict[str, list[float]]) -> dict[str, list[int]]:
        """Bins by feature, as ``banks.ml.drift.counted``."""
        return {
            name: drift.counted(self.X[:, place], edges[name]).tolist()
            for place, name in enumerate(self.names)
            if name in edges
        }

    def scores(self) -> list[int]:
        """Rows in each bin of the score grid."""
        bins = GRID.bin_of(self.logits)
        return [int(n) for n in np.bincount(bins, minlength=GRID.bins)]


def draw(
    bank: Bank,
    version: ModelVersion,
    scorer: Scorer,
    zone: str,
    periods: list[tuple[datetime, datetime]],
    *,
    most: int,
) -> Drawn:
    """Up to ``most`` payments of each day of the periods [from, until), as the version sees them.

    The same payments are drawn every time. Call outside the bank's scope.
    """
    import polars as pl

    from banks.ml.features import build_features

    plan = FeaturePlan.from_json(version.feature_plan)
    payments = first_stages.scored(bank, datasets.frame(bank), plan)
    chosen = _chosen(payments, zone, periods, most)
    mine = payments.filter(
        pl.col("key").is_in(chosen["key"].implode())
        | pl.col("account").is_in(chosen["account"].drop_nulls().unique().implode())
        | pl.col("counterparty").is_in(chosen["counterparty"].drop_nulls().unique().implode())
    )
    rows = mine.select(pl.col("key").is_in(chosen["key"].implode())).to_series()
    matrix = (
        build_features(mine, plan, joint.signal_for(bank, mine, plan))
        .filter(rows)
        .select(feature_names(plan))
        .to_numpy()
        .astype(np.float32)
    )
    inputs = aligned(matrix, feature_names(plan), scorer.features)
    return Drawn(
        days=_local_days(mine.filter(rows), zone).to_numpy().astype("datetime64[D]"),
        names=tuple(scorer.features),
        X=inputs,
        logits=scorer.logits(inputs),
    )


def _chosen(
    payments: pl.DataFrame, zone: str, periods: list[tuple[datetime, datetime]], most: int
) -> pl.DataFrame:
    import polars as pl

    inside = pl.any_horizontal(
        [
            pl.col("time").is_between(microseconds(since), microseconds(until), closed="left")
            for since, until in periods
        ]
    )
    rows = payments.filter(inside)
    rows = rows.with_columns(day=_local_days(rows, zone), drawn=pl.col("key").hash(seed=0))
    return rows.filter(pl.col("drawn").rank("ordinal").over("day") <= most)


def _local_days(rows: pl.DataFrame, zone: str) -> pl.Series:
    import polars as pl

    local = pl.from_epoch("time", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return rows.select(local.dt.date()).to_series()
