"""What is known about a counterparty, from integer sums per counterparty and bucket.

The sums may be a bank's own or opened over many banks: nothing below can tell, so one model
serves both. At a payment in bucket k only buckets up to k-1 count, for labels the buckets in
which they became known.

A *run* is the stretch of known frauds since the last known genuine payment. A bucket with both
has no order inside: it ends the run before it and begins a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.events import (
    Events,
    FloatArray,
    IntArray,
    latest_where,
    next_where,
    order_of,
    running,
)
from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import NOBODY
from banks.ml.features.sums import LOG_UNIT, UNEXPLAINED_UNIT, BucketSums

LONGEST_WINDOW_DAYS = 30
_PRIOR_WEIGHT = 3
_CLEARLY_UNEXPLAINED = UNEXPLAINED_UNIT // 2


@dataclass(frozen=True)
class Earlier:
    """Per counterparty, the label sums of buckets no longer held."""

    known: IntArray
    frauds: IntArray
    unexplained: IntArray

    @classmethod
    def nothing(cls, counterparties: int) -> Earlier:
        return cls(*(np.zeros(counterparties + 1, np.int64) for _ in range(3)))

    def widened(self, counterparties: int) -> Earlier:
        more = counterparties + 1 - len(self.known)
        return Earlier(
            *(np.pad(sums, (0, more)) for sums in (self.known, self.frauds, self.unexplained))
        )


class CounterpartyHistory:
    """Bucket sums by counterparty, ready to be asked about any bucket."""

    def __init__(self, sums: BucketSums, earlier: Earlier | None = None) -> None:
        self.sums = sums
        self.earlier = earlier or Earlier.nothing(sums.counterparties)
        volume, labels = sums.volume, sums.labels
        self.volume = Events(volume.counterparty, volume.bucket, sums.counterparties)
        self.labels = Events(labels.counterparty, labels.bucket, sums.counterparties)
        self._payments = running(volume["payments"])
        self._log_amount = running(volume["log_amount"])
        self._known = running(labels["known"])
        self._frauds = running(labels["frauds"])
        self._unexplained = running(labels["unexplained"])
        genuine = labels["known"] > labels["frauds"]
        fraud = labels["frauds"] > 0
        self._last_fraud = latest_where(fraud)
        self._last_genuine = latest_where(genuine)
        self._last_unexplained = latest_where(labels["unexplained"] > _CLEARLY_UNEXPLAINED)
        own_start = self.labels.starts[labels.counterparty]
        self._run_start = next_where(fraud)[np.maximum(self._last_genuine, own_start)]

    def features(
        self,
        counterparty: IntArray,
        bucket: IntArray,
        log_amount: FloatArray,
        plan: FeaturePlan,
        wanted: set[str],
    ) -> dict[str, NDArray[np.float32]]:
        """Return the ``wanted`` counterparty features of payments in these buckets.

        Each (counterparty, bucket) is computed once and then spread over its payments. NaN where
        missing, or where the payment has no counterparty (``NOBODY``).
        """
        known = np.where(counterparty == NOBODY, self.sums.counterparties, counterparty)
        who, when, spread = _distinct_pairs(known, bucket, self.sums.counterparties)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = self._volume(who, when, plan)
            columns |= self._rates(who, when, plan)
            columns |= self._recency(who, when, plan)
        nobody = counterparty == NOBODY
        rows: dict[str, NDArray[np.float32]] = {}
        for name in wanted & columns.keys():
            rows[name] = columns.pop(name).astype(np.float32)[spread]
            rows[name][nobody] = np.nan
        difference = log_amount - rows["counterparty_log_amount_30d"]
        rows["log_amount_minus_counterparty_30d"] = difference.astype(np.float32)
        return rows

    def _volume(self, who: IntArray, when: IntArray, plan: FeaturePlan) -> dict[str, FloatArray]:
        now = self.volume.positions(who, when)
        columns: dict[str, FloatArray] = {}
        for days in (1, 7, 30):
            first = self.volume.positions(who, when - days * plan.buckets_a_day)
            count = (self._payments[now] - self._payments[first]).astype(np.float64)
            columns[f"counterparty_count_{days}d"] = count
        # `first` and `count` are those of the longest window
        logs = self._log_amount[now] - self._log_amount[first]
        columns["counterparty_log_amount_30d"] = logs / LOG_UNIT / count
        return columns

    def _rates(self, who: IntArray, when: IntArray, plan: FeaturePlan) -> dict[str, FloatArray]:
        now = self.labels.positions(who, when)
        columns: dict[str, FloatArray] = {}

        def add(window: str, known: IntArray, frauds: IntArray, unexplained: IntArray) -> None:
            weight = known + float(_PRIOR_WEIGHT)
            prior = _PRIOR_WEIGHT * plan.fraud_prior
            columns[f"counterparty_known_{window}"] = known.astype(np.float64)
            columns[f"counterparty_frauds_{window}"] = frauds.astype(np.float64)
            columns[f"counterparty_fraud_rate_{window}"] = (frauds + prior) / weight
            if plan.first_stage:
                u = unexplained / UNEXPLAINED_UNIT
                columns[f"counterparty_unexplained_{window}"] = u
                columns[f"counterparty_unexplained_rate_{window}"] = (u + prior) / weight

        sums = (self._known, self._frauds, self._unexplained)
        for days in (1, 7, 30):
            first = self.labels.positions(who, when - days * plan.buckets_a_day)
            add(f"{days}d", *(column[now] - column[first] for column in sums))
        start = self.labels.starts[who]
        before = (self.earlier.known, self.earlier.frauds, self.earlier.unexplained)
        add(
            "all",
            *(column[now] - column[start] + e[who] for column, e in zip(sums, before, strict=True)),
        )
        return columns

    def _recency(self, who: IntArray, when: IntArray, plan: FeaturePlan) -> dict[str, FloatArray]:
        now, start = self.labels.positions(who, when), self.labels.starts[who]
        reach = _Reach(now, start, self.labels.at, when, plan)
        fraud = reach.back_to(self._last_fraud)
        genuine = reach.back_to(self._last_genuine)
        open_run = (fraud >= 0) & (fraud >= genuine)
        run = np.where(fraud >= 0, _at(self._run_start, fraud), -1)
        in_run = self._frauds[now] - self._frauds[np.maximum(run, 0)]
        columns = {
            "days_since_counterparty_fraud": reach.days_since(fraud),
            "days_since_counterparty_genuine": reach.days_since(genuine),
            "counterparty_run_age": reach.days_since(np.where(open_run, run, -1)),
            "counterparty_run_frauds": np.where(open_run, in_run, 0).astype(np.float64),
            "counterparty_run_ended_age": reach.days_since(np.where(open_run, -1, run)),
        }
        if plan.first_stage:
            unexplained = reach.back_to(self._last_unexplained)
            in_run = self._unexplained_since(genuine, start, now)
            columns |= {
                "days_since_counterparty_unexplained": reach.days_since(unexplained),
                "counterparty_run_unexplained": np.where(open_run, in_run, 0) / UNEXPLAINED_UNIT,
                "counterparty_run_age_bound": reach.days_since(np.where(open_run, genuine, -1)),
            }
        return columns

    def _unexplained_since(self, genuine: IntArray, start: IntArray, now: IntArray) -> IntArray:
        """Sum after the last genuine bucket, with that bucket's own where clearly unexplained."""
        after = np.where(genuine >= 0, genuine + 1, start)
        own = _at(self.sums.labels["unexplained"], genuine)
        shared = np.where((genuine >= 0) & (own > _CLEARLY_UNEXPLAINED), own, 0)
        return self._unexplained[now] - self._unexplained[after] + shared

    def extended(self, sums: BucketSums, now: int, plan: FeaturePlan) -> CounterpartyHistory:
        """Return the history with further sums; forgets what no bucket from ``now`` on can reach.

        Kept of the older buckets: those that recency and runs still point to.
        """
        cutoff = now - LONGEST_WINDOW_DAYS * plan.buckets_a_day
        volume, labels = self.sums.volume, self.sums.labels
        kept = self._reachable_labels(cutoff)
        earlier = self.earlier.widened(sums.counterparties)
        dropped = labels.where(~kept)
        for name in ("known", "frauds", "unexplained"):
            np.add.at(getattr(earlier, name), dropped.counterparty, dropped[name])
        held = BucketSums(
            sums.counterparties, volume.where(volume.bucket >= cutoff), labels.where(kept)
        )
        return CounterpartyHistory(BucketSums.total([held, sums]), earlier)

    def _reachable_labels(self, cutoff: int) -> NDArray[np.bool_]:
        labels = self.labels
        kept = labels.at >= cutoff
        everyone = np.arange(labels.groups)
        end, start = labels.positions(everyone, cutoff), labels.starts[:-2]
        older = end > start
        end, start = end[older], start[older]
        last = end - 1
        fraud, genuine = self._last_fraud[last], self._last_genuine[last]
        has_fraud = fraud >= start
        run = np.where(has_fraud, _at(self._run_start, fraud), -1)
        before_run = np.where(has_fraud, _at(self._last_genuine, fraud), -1)
        for cell in (fraud, genuine, self._last_unexplained[last], run, before_run):
            kept[cell[cell >= start]] = True
        is_open = has_fraud & (fraud >= genuine)
        for first, stop in zip(run[is_open], end[is_open], strict=True):
            kept[first:stop] = True
        return kept


class _Reach:
    """Looks back from (counterparty, bucket) to cells of that counterparty; -1 where none."""

    def __init__(
        self, now: IntArray, start: IntArray, at: IntArray, when: IntArray, plan: FeaturePlan
    ) -> None:
        self._last, self._start = now - 1, start
        self._at, self._when, self._plan = at, when, plan

    def back_to(self, latest: IntArray) -> IntArray:
        cell = _at(latest, self._last)
        return np.where((self._last >= self._start) & (cell >= self._start), cell, -1)

    def days_since(self, cell: IntArray) -> FloatArray:
        """Days since the payments of a cell: since they became known, and the delay before."""
        buckets = self._when - _at(self._at, cell)
        days = buckets / self._plan.buckets_a_day + self._plan.label_delay_days
        return np.where(cell >= 0, days, np.nan)


def _at(values: IntArray, index: IntArray) -> IntArray:
    """Return values[index], anything where the index is negative or there are no values."""
    return values[np.maximum(index, 0)] if len(values) else np.zeros(len(index), np.int64)


def _distinct_pairs(
    who: IntArray, when: IntArray, groups: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the distinct pairs in order and, for each row, the index of its pair."""
    if len(who) == 1:
        return who, when, np.zeros(1, np.int64)
    order = order_of(who, when, groups)
    who, when = who[order], when[order]
    new = np.ones(len(who), bool)
    new[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    spread = np.empty(len(who), np.int64)
    spread[order] = np.cumsum(new) - 1
    return who[new], when[new], spread
