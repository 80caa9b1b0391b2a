"""The past that features look back on: accounts and counterparties together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.account import AccountHistory
from banks.ml.features.clock import bucket_of, local_time
from banks.ml.features.counterparty import CounterpartyHistory
from banks.ml.features.events import order_of
from banks.ml.features.payment import payment_features
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.rows import Rows
from banks.ml.features.sums import BucketSums

Column = NDArray[np.float32]


@dataclass(frozen=True)
class History:
    """Answers for any rows, as far as it holds their past; a group may be absent."""

    plan: FeaturePlan
    accounts: AccountHistory | None
    counterparties: CounterpartyHistory | None

    @classmethod
    def of(cls, rows: Rows, plan: FeaturePlan, accounts: int, sums: BucketSums | None) -> History:
        """Build from a bank's rows and the sums (its own or joint) for its counterparties."""
        return cls(
            plan,
            AccountHistory.of(rows, accounts) if plan.uses_accounts else None,
            CounterpartyHistory(sums) if plan.uses_counterparties and sums else None,
        )

    def extended(
        self, rows: Rows, labels: Rows, accounts: int, sums: BucketSums | None, now: int
    ) -> History:
        """Return the history with further rows, labels and sums.

        It answers exactly for payments from ``now`` (µs UTC) on; the older past is folded away.
        """
        plan = self.plan
        bucket = int(bucket_of(local_time(np.array([now]), plan.zone), plan.bucket_hours)[0])
        by_account, by_counterparty = self.accounts, self.counterparties
        if by_account is not None:
            by_account = by_account.extended(rows, labels, accounts, now)
        if by_counterparty is not None and sums is not None:
            by_counterparty = by_counterparty.extended(sums, bucket, plan)
        return History(plan, by_account, by_counterparty)

    def features(self, rows: Rows) -> dict[str, Column]:
        """Return the named features of ``rows``, in their order, as float32; NaN is missing."""
        wanted = set(feature_names(self.plan))
        payment = payment_features(rows.time, rows.amount, rows.log_amount, self.plan)
        columns = {name: column.astype(np.float32) for name, column in payment.items()}
        if self.accounts is not None:
            columns |= self._account_features(self.accounts, rows)
        if self.counterparties is not None:
            columns |= self._counterparty_features(self.counterparties, rows, wanted)
        return {name: columns[name] for name in feature_names(self.plan) if name in columns}

    def _account_features(self, accounts: AccountHistory, rows: Rows) -> dict[str, Column]:
        if len(rows) == 1:
            found = accounts.features(rows, self.plan)
            return {name: column.astype(np.float32) for name, column in found.items()}
        # Asking in the history's own order keeps the searches in the processor's cache.
        order = order_of(rows.account + 1, rows.time, accounts.payments.groups + 2)
        found = accounts.features(rows.taken(order), self.plan)
        columns = {}
        for name in list(found):
            columns[name] = np.empty(len(rows), np.float32)
            columns[name][order] = found.pop(name)
        return columns

    def _counterparty_features(
        self, counterparties: CounterpartyHistory, rows: Rows, wanted: set[str]
    ) -> dict[str, Column]:
        plan = self.plan
        bucket = bucket_of(local_time(rows.time, plan.zone), plan.bucket_hours)
        return counterparties.features(rows.counterparty, bucket, rows.log_amount, plan, wanted)
