"""What an account did before: every feature looks strictly before the payment it describes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.events import (
    Events,
    FloatArray,
    IntArray,
    largest,
    order_of,
    running,
)
from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import NOBODY, RISK_UNIT, Rows
from banks.ml.schema import DAY, HOUR

LONGEST_WINDOW = 30 * DAY
LONGEST_RISK = 14 * DAY
_LIMB = 23  # amounts up to 10^14 split into two limbs whose products sum exactly


@dataclass(frozen=True)
class Earlier:
    """Per account, what the payments no longer held added up to."""

    count: IntArray
    total: IntArray

    @classmethod
    def nothing(cls, accounts: int) -> Earlier:
        return cls(np.zeros(accounts + 1, np.int64), np.zeros(accounts + 1, np.int64))

    def widened(self, accounts: int) -> Earlier:
        more = accounts + 1 - len(self.count)
        return Earlier(np.pad(self.count, (0, more)), np.pad(self.total, (0, more)))


class AccountHistory:
    """Payments and known frauds by account, ready to be asked about any moment."""

    def __init__(
        self,
        payments: Events,
        amount: IntArray,
        risk: IntArray,
        frauds: Events,
        earlier: Earlier,
    ) -> None:
        self.payments, self.amount, self.risk = payments, amount, risk
        self.frauds = frauds
        self.earlier = earlier
        size = np.abs(amount)
        high, low = size >> _LIMB, size & ((1 << _LIMB) - 1)
        self._total = running(amount)
        self._squares = (running(low * low), running(low * high), running(high * high))
        self._risk_total = running(risk)

    @classmethod
    def of(cls, rows: Rows, accounts: int, earlier: Earlier | None = None) -> AccountHistory:
        """Sort rows into a history; rows without an account or a label are left out as needed."""
        with_account = rows.account != NOBODY
        group, at = rows.account[with_account], rows.time[with_account]
        amount, risk = rows.amount[with_account], rows.risk[with_account]
        order = order_of(group, at, accounts, tie=amount)
        fraud = with_account & (rows.label == 1)
        return cls(
            Events(group[order], at[order], accounts),
            amount[order],
            risk[order],
            _sorted_events(rows.account[fraud], rows.known_at[fraud], accounts),
            earlier or Earlier.nothing(accounts),
        )

    @classmethod
    def of_one(
        cls,
        time: IntArray,
        amount: IntArray,
        risk: IntArray,
        fraud_known_at: IntArray,
        earlier: tuple[int, int],
    ) -> AccountHistory:
        """Return the history of one account, numbered 0; ``earlier`` is (count, total)."""
        order = np.lexsort((amount, time))
        count, total = earlier
        return cls(
            Events(np.zeros(len(time), np.int64), time[order], 1),
            amount[order],
            risk[order],
            Events(np.zeros(len(fraud_known_at), np.int64), np.sort(fraud_known_at), 1),
            Earlier(np.array([count, 0]), np.array([total, 0])),
        )

    def features(self, rows: Rows, plan: FeaturePlan) -> dict[str, FloatArray]:
        """Return the account features of ``rows``; NaN where missing or without an account."""
        nobody = rows.account == NOBODY
        account = np.where(nobody, self.payments.groups, rows.account)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = self._behaviour(account, rows.time, rows.amount, plan.amount_unit)
            columns |= self._known_frauds(account, rows.time, plan.label_delay_days)
            if plan.first_stage:
                columns |= self._risk(account, rows.time)
        if nobody.any():
            for column in columns.values():
                column[nobody] = np.nan
        return columns

    def _behaviour(
        self, account: IntArray, time: IntArray, amount: IntArray, unit: int
    ) -> dict[str, FloatArray]:
        find = self.payments.positions
        now = find(account, time)
        start = self.payments.starts[account]
        since = {days: find(account, time - days * DAY) for days in (1, 7, 30)}
        columns: dict[str, FloatArray] = {}
        for days, first in since.items():
            count = (now - first).astype(np.float64)
            columns[f"account_count_{days}d"] = count
            columns[f"account_mean_{days}d"] = self._sum(self._total, first, now) / unit / count
        top = largest(self.amount, since[7], now) / unit
        columns["account_max_7d"] = np.where(now > since[7], top, np.nan)
        columns |= self._previous(now, start, time, unit)
        count_all = now - start + self.earlier.count[account]
        total_all = self._sum(self._total, start, now) + self.earlier.total[account]
        columns["account_mean_all"] = total_all / unit / count_all
        columns["account_std_30d"] = self._deviation(since[30], now, unit)
        return columns | _against_past(amount / unit, columns)

    def _previous(
        self, now: IntArray, start: IntArray, time: IntArray, unit: int
    ) -> dict[str, FloatArray]:
        if not len(self.payments):
            missing = np.full(len(now), np.nan)
            return {"hours_since_previous": missing, "previous_amount": missing.copy()}
        last = np.maximum(now - 1, 0)
        gap = (time - self.payments.at[last]) / HOUR
        return {
            "hours_since_previous": np.where(now > start, gap, np.nan),
            "previous_amount": np.where(now > start, self.amount[last] / unit, np.nan),
        }

    def _deviation(self, first: IntArray, now: IntArray, unit: int) -> FloatArray:
        low, mixed, high = (self._sum(column, first, now) for column in self._squares)
        square = high * float(1 << 2 * _LIMB) + mixed * float(1 << _LIMB + 1) + low
        count = now - first
        mean = self._sum(self._total, first, now) / unit / count
        variance: FloatArray = square / unit**2 / count - mean * mean
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)

    def _known_frauds(
        self, account: IntArray, time: IntArray, delay_days: int
    ) -> dict[str, FloatArray]:
        find = self.frauds.positions
        now = find(account, time)
        columns = {
            f"account_known_frauds_{days}d": (now - find(account, time - days * DAY)).astype(
                np.float64
            )
            for days in (7, 30)
        }
        known = now > self.frauds.starts[account]
        age = np.full(len(time), np.nan)
        age[known] = (time[known] - self.frauds.at[now[known] - 1]) / DAY + delay_days
        return columns | {"days_since_account_fraud": age}

    def _risk(self, account: IntArray, time: IntArray) -> dict[str, FloatArray]:
        find = self.payments.positions
        now = find(account, time)
        since = {days: find(account, time - days * DAY) for days in (1, 7, 14)}
        columns: dict[str, FloatArray] = {
            f"account_risk_{days}d": self._sum(self._risk_total, first, now) / RISK_UNIT
            for days, first in since.items()
        }
        top = largest(self.risk, since[14], now) / RISK_UNIT
        columns["account_risk_max_14d"] = np.where(now > since[14], top, np.nan)
        return columns

    @staticmethod
    def _sum(sums: IntArray, first: IntArray, end: IntArray) -> IntArray:
        return np.asarray(sums[end] - sums[first], np.int64)

    def extended(self, rows: Rows, learned: Rows, accounts: int, now: int) -> AccountHistory:
        """Return the history with ``rows`` and the labels of ``learned`` added.

        What no payment from ``now`` on can reach is forgotten, its totals kept.
        """
        kept = self._reachable(now)
        dropped = ~kept
        earlier = self.earlier.widened(accounts)
        group = self.payments.group
        np.add.at(earlier.count, group[dropped], 1)
        np.add.at(earlier.total, group[dropped], self.amount[dropped])
        has = rows.account != NOBODY
        group = np.concatenate([group[kept], rows.account[has]])
        at = np.concatenate([self.payments.at[kept], rows.time[has]])
        amount = np.concatenate([self.amount[kept], rows.amount[has]])
        risk = np.concatenate([self.risk[kept], rows.risk[has]])
        order = order_of(group, at, accounts, tie=amount)
        fraud = (learned.account != NOBODY) & (learned.label == 1)
        frauds = _sorted_events(
            np.concatenate([self.frauds.group, learned.account[fraud]]),
            np.concatenate([self.frauds.at, learned.known_at[fraud]]),
            accounts,
        )
        return AccountHistory(
            Events(group[order], at[order], accounts), amount[order], risk[order], frauds, earlier
        )

    def _reachable(self, now: int) -> NDArray[np.bool_]:
        payments = self.payments
        kept = payments.at >= now - LONGEST_WINDOW
        everyone = np.arange(payments.groups)
        first = payments.positions(everyone, now - LONGEST_WINDOW)
        has_older = first > payments.starts[:-2]
        kept[first[has_older] - 1] = True
        return kept


def _against_past(amount: FloatArray, past: dict[str, FloatArray]) -> dict[str, FloatArray]:
    mean = past["account_mean_30d"]
    return {
        "amount_to_mean_30d": amount / (np.abs(mean) + 1),
        "amount_to_mean_7d": amount / (np.abs(past["account_mean_7d"]) + 1),
        "amount_to_mean_all": amount / (np.abs(past["account_mean_all"]) + 1),
        "amount_z_30d": (amount - mean) / (past["account_std_30d"] + 5),
        "amount_minus_mean_30d": amount - mean,
        "amount_to_max_7d": amount / (np.abs(past["account_max_7d"]) + 1),
    }


def _sorted_events(group: IntArray, at: IntArray, groups: int) -> Events:
    order = order_of(group, at, groups)
    return Events(group[order], at[order], groups)
