"""Precision among the k most suspicious of each day: what a team that reviews k a day would see.

Account precision@k (card precision@k of Dal Pozzolo et al. 2018): an account stands where its
highest score of the day stands, and is a hit if one of its payments of that day was fraud.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import IntArray
from banks.ml.intervals import mean_interval
from banks.ml.schema import DAY
from consortium.intervals import Interval

TOP = (10, 20, 50, 100)


@dataclass(frozen=True)
class TopOfDay:
    """Over the days of a window: accounts listed, those hit, and those there were to hit."""

    k: int
    days: int
    listed: int
    hits: int
    to_find: int
    interval: Interval | None

    @property
    def precision(self) -> float | None:
        return self.hits / self.listed if self.listed else None

    @property
    def most(self) -> float | None:
        """The precision of perfect scores: there may be fewer than k to find."""
        return min(1.0, self.to_find / self.listed) if self.listed else None


def daily_hits(
    logits: ArrayLike, labels: ArrayLike, accounts: ArrayLike, times: ArrayLike
) -> dict[str, Any]:
    """Counts by day, JSON-safe: per k hits and listed, and the accounts with fraud to find.

    Rows with label −1 are left out. ``times`` in µs; days are UTC. Accounts "" stand alone.
    """
    scores, y = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    known = y >= 0
    names, days = np.asarray(accounts)[known], np.asarray(times)[known] // DAY
    scores, y = scores[known], y[known]
    lone = np.arange(len(y)) + 1
    _, account = np.unique(names, return_inverse=True)
    account = np.where(names == "", -lone, account)
    by_day = [_one_day(scores[at], y[at], account[at]) for at in _days(days)]
    return {
        "to_find": [int(frauds.sum()) for frauds in by_day],
        "listed": {str(k): [min(k, len(frauds)) for frauds in by_day] for k in TOP},
        "hits": {str(k): [int(frauds[:k].sum()) for frauds in by_day] for k in TOP},
    }


def top_of_day(counts: dict[str, Any]) -> list[TopOfDay]:
    """The figures of ``daily_hits``, for each k."""
    if not counts:
        return []
    days = len(counts["to_find"])
    return [_top(k, days, counts) for k in TOP] if days else []


def _top(k: int, days: int, counts: dict[str, Any]) -> TopOfDay:
    hits, listed = (np.array(counts[name][str(k)], dtype=np.int64) for name in ("hits", "listed"))
    to_find = np.minimum(np.array(counts["to_find"], dtype=np.int64), listed)
    return TopOfDay(
        k=k,
        days=days,
        listed=int(listed.sum()),
        hits=int(hits.sum()),
        to_find=int(to_find.sum()),
        interval=mean_interval(hits, listed),
    )


def _days(days: IntArray) -> list[IntArray]:
    if not len(days):
        return []
    order = np.argsort(days, kind="stable")
    starts = np.flatnonzero(np.diff(days[order])) + 1
    return list(np.split(order, starts))


def _one_day(scores: Any, labels: Any, accounts: Any) -> IntArray:
    """For each account of one day, most suspicious first: 1 where it had a fraud."""
    order = np.lexsort((-scores, accounts))
    first = np.append(True, np.diff(accounts[order]) != 0)
    starts = np.flatnonzero(first)
    highest = scores[order][starts]
    fraud = np.maximum.reduceat(labels[order] == 1, starts)
    return fraud[np.argsort(-highest, kind="stable")].astype(np.int64)
