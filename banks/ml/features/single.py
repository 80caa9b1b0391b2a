"""One transaction's features from the past of its account and of its counterparty alone.

The same code as the batch on histories of one account and one counterparty; needs numpy only, so
that a web process can read a few rows from its database and score.
"""

from __future__ import annotations

from collections.abc import Mapping as JsonObject
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from banks.ml.features import counterparty as by_counterparty
from banks.ml.features.account import AccountHistory
from banks.ml.features.counterparty import CounterpartyHistory
from banks.ml.features.events import IntArray
from banks.ml.features.history import History
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.rows import NOBODY, Rows, signed_log
from banks.ml.features.sums import LABELS, VOLUME, BucketSums, Cells
from banks.ml.schema import EXTRA_PREFIX

NOTHING: Final[IntArray] = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One payment to be scored: µs UTC, minor units, names or None."""

    time: int
    amount: int
    account: str | None = None
    counterparty: str | None = None
    extra: JsonObject[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AccountPast:
    """Payments of one account, at least those of the last 30 days and the one before, any order.

    ``earlier_count`` and ``earlier_total`` (minor units) are those of the payments left out.
    ``fraud_known_at``: for each of its frauds, the µs from which the label counts
    (``label_counts_from``). ``risk``: first-stage scores in RISK_UNIT, where the plan needs them.
    """

    time: IntArray = field(default_factory=NOTHING.copy)
    amount: IntArray = field(default_factory=NOTHING.copy)
    risk: IntArray | None = None
    fraud_known_at: IntArray = field(default_factory=NOTHING.copy)
    earlier_count: int = 0
    earlier_total: int = 0

    @property
    def history(self) -> AccountHistory:
        """The same as the history of one account, numbered 0."""
        risk = np.zeros(len(self.time), np.int64) if self.risk is None else self.risk
        earlier = (self.earlier_count, self.earlier_total)
        return AccountHistory.of_one(self.time, self.amount, risk, self.fraud_known_at, earlier)

    def with_later(self, rows: Rows) -> AccountPast:
        """Return the past with further payments of the account."""
        risk = np.zeros(len(self.time), np.int64) if self.risk is None else self.risk
        return replace(
            self,
            time=np.concatenate([self.time, rows.time]),
            amount=np.concatenate([self.amount, rows.amount]),
            risk=np.concatenate([risk, rows.risk]),
            fraud_known_at=np.concatenate([self.fraud_known_at, rows.known_at[rows.label == 1]]),
        )

    def to_bytes(self) -> bytes:
        """Return it as integers that ``from_bytes`` reads back."""
        risk = np.zeros(len(self.time), np.int64) if self.risk is None else self.risk
        earlier = np.array([self.earlier_count, self.earlier_total], np.int64)
        return packed([self.time, self.amount, risk, self.fraud_known_at, earlier])

    @classmethod
    def from_bytes(cls, content: bytes) -> AccountPast:
        time, amount, risk, fraud_known_at, earlier = unpacked(content)
        count, total = earlier.tolist()
        return cls(
            time=time,
            amount=amount,
            risk=risk,
            fraud_known_at=fraud_known_at,
            earlier_count=count,
            earlier_total=total,
        )


@dataclass(frozen=True, kw_only=True)
class CounterpartyPast:
    """Bucket sums of one counterparty, in order of bucket.

    ``earlier``: known, frauds and unexplained of label buckets left out.
    """

    volume_bucket: IntArray = field(default_factory=NOTHING.copy)
    volume: JsonObject[str, IntArray] = field(
        default_factory=lambda: dict.fromkeys(VOLUME, NOTHING)
    )
    label_bucket: IntArray = field(default_factory=NOTHING.copy)
    labels: JsonObject[str, IntArray] = field(
        default_factory=lambda: dict.fromkeys(LABELS, NOTHING)
    )
    earlier: tuple[int, int, int] = (0, 0, 0)

    def with_later(self, rows: Rows, plan: FeaturePlan) -> CounterpartyPast:
        """Return the past with further payments at the counterparty, numbered 0 in ``rows``."""
        if not len(rows):
            return self
        sums = BucketSums.total([self.sums, BucketSums.of(rows, 1, plan)])
        return replace(CounterpartyPast.of(sums), earlier=self.earlier)

    @classmethod
    def of(cls, sums: BucketSums, number: int = 0) -> CounterpartyPast:
        """Return the part of ``sums`` that belongs to one of its counterparties."""
        volume, labels = sums.volume, sums.labels
        v, k = (
            slice(*np.searchsorted(cells.counterparty, [number, number + 1]))
            for cells in (volume, labels)
        )
        return cls(
            volume_bucket=volume.bucket[v],
            volume={name: values[v] for name, values in volume.sums.items()},
            label_bucket=labels.bucket[k],
            labels={name: values[k] for name, values in labels.sums.items()},
        )

    @property
    def sums(self) -> BucketSums:
        """The same as sums of one counterparty, numbered 0."""
        volume, labels = np.zeros_like(self.volume_bucket), np.zeros_like(self.label_bucket)
        return BucketSums(
            1,
            Cells(volume, self.volume_bucket, dict(self.volume)),
            Cells(labels, self.label_bucket, dict(self.labels)),
        )

    def to_bytes(self) -> bytes:
        """Return it as integers that ``from_bytes`` reads back."""
        volume = [self.volume[name] for name in VOLUME]
        labels = [self.labels[name] for name in LABELS]
        earlier = np.array(self.earlier, np.int64)
        return packed([self.volume_bucket, *volume, self.label_bucket, *labels, earlier])

    @classmethod
    def from_bytes(cls, content: bytes) -> CounterpartyPast:
        volume_bucket, *parts, earlier = unpacked(content)
        volume, (label_bucket, *labels) = parts[: len(VOLUME)], parts[len(VOLUME) :]
        known, frauds, unexplained = earlier.tolist()
        return cls(
            volume_bucket=volume_bucket,
            volume=dict(zip(VOLUME, volume, strict=True)),
            label_bucket=label_bucket,
            labels=dict(zip(LABELS, labels, strict=True)),
            earlier=(known, frauds, unexplained),
        )


def packed(arrays: Sequence[IntArray]) -> bytes:
    """Return whole numbers as bytes: how many arrays, their lengths, their values."""
    head = np.array([len(arrays), *map(len, arrays)], np.int64)
    return np.concatenate([head, *arrays]).astype("<i8").tobytes()


def unpacked(content: bytes) -> list[IntArray]:
    """Inverse of ``packed``."""
    numbers = np.frombuffer(content, "<i8").astype(np.int64, copy=False)
    count = int(numbers[0])
    ends = np.cumsum(numbers[1 : 1 + count])
    return np.split(numbers[1 + count :], ends[:-1])


def features_from_history(
    plan: FeaturePlan,
    transaction: Transaction,
    account: AccountPast,
    counterparty: CounterpartyPast,
) -> NDArray[np.float32]:
    """Return one transaction's features, float32[F] in the order of ``feature_names``."""
    history = History(
        plan,
        account.history if plan.uses_accounts else None,
        _counterparty_history(counterparty) if plan.uses_counterparties else None,
    )
    columns = history.features(_single(plan, transaction))
    extra = {
        EXTRA_PREFIX + name: np.float32(transaction.extra.get(name, np.nan)) for name in plan.extra
    }
    names = feature_names(plan)
    return np.array(
        [columns[name][0] if name in columns else extra[name] for name in names], np.float32
    )


def _single(plan: FeaturePlan, transaction: Transaction) -> Rows:
    amount = np.array([transaction.amount], np.int64)
    return Rows(
        time=np.array([transaction.time], np.int64),
        amount=amount,
        account=np.array([NOBODY if transaction.account is None else 0]),
        counterparty=np.array([NOBODY if transaction.counterparty is None else 0]),
        label=np.array([-1], np.int8),
        known_at=np.zeros(1, np.int64),
        risk=np.zeros(1, np.int64),
        log_amount=signed_log(amount / plan.amount_unit),
    )


def _counterparty_history(past: CounterpartyPast) -> CounterpartyHistory:
    earlier = by_counterparty.Earlier(*(np.array([value, 0]) for value in past.earlier))
    return CounterpartyHistory(past.sums, earlier)
