"""Transactions as plain arrays: what every feature is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.events import FloatArray, IntArray
from banks.ml.features.plan import FeaturePlan
from banks.ml.schema import DAY
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    import polars as pl

NOBODY: Final = -1  # the code of a missing account or counterparty
RISK_UNIT: Final = 1 << 20  # fixed point of a first-stage probability
FIRST_STAGE: Final = "first_stage"


class Names:
    """Numbers names in the order they are added; a number once given stays."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names: list[str] = []
        self._codes: dict[str, int] = {}
        self.add(names)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, names: Iterable[str]) -> None:
        """Number the names not seen before."""
        for name in names:
            if name not in self._codes:
                self._codes[name] = len(self.names)
                self.names.append(name)

    def code(self, name: str | None) -> int:
        """Return the number of a name, ``len(self)`` for a stranger, NOBODY for None."""
        return NOBODY if name is None else self._codes.get(name, len(self.names))

    def codes_of(self, other: Names) -> IntArray:
        """Return for each of ``other``'s numbers, then for NOBODY, the number here."""
        return np.array([*map(self.code, other.names), NOBODY], np.int64)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Transactions by column, all of one length.

    ``time`` µs UTC, ``amount`` minor units, ``account`` and ``counterparty`` numbers of Names,
    ``label`` 1, 0 or -1 (unknown), ``known_at`` µs UTC from which the label counts, ``risk``
    first-stage probability in RISK_UNIT, ``log_amount`` sign(a)·log(1+|a|) of a in units.
    """

    time: IntArray
    amount: IntArray
    account: IntArray
    counterparty: IntArray
    label: NDArray[np.int8]
    known_at: IntArray
    risk: IntArray
    log_amount: FloatArray

    def __len__(self) -> int:
        return len(self.time)

    def taken(self, index: IntArray) -> Rows:
        """Return the rows at these indices."""
        return Rows(**{name: column[index] for name, column in vars(self).items()})

    @classmethod
    def none(cls) -> Rows:
        """Return no rows."""
        nothing = np.zeros(0, np.int64)
        return cls(
            time=nothing,
            amount=nothing,
            account=nothing,
            counterparty=nothing,
            label=np.zeros(0, np.int8),
            known_at=nothing,
            risk=nothing,
            log_amount=np.zeros(0),
        )

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Return the rows of all parts."""
        return cls(
            **{
                name: np.concatenate([vars(part)[name] for part in parts])
                for name in vars(parts[0])
            }
        )

    @classmethod
    def of_one(cls, found: Sequence[Sequence[int]], plan: FeaturePlan) -> Rows:
        """Payments of one account at one counterparty, both numbered 0.

        ``found`` holds time, amount, label or -1, and known at or 0 of each.
        """
        time, amount, label, known_at = np.array(found, np.int64).reshape(-1, 4).T
        first = np.zeros(len(time), np.int64)
        return cls(
            time=time,
            amount=amount,
            account=first,
            counterparty=first,
            label=label.astype(np.int8),
            known_at=label_counts_from(time, known_at, plan),
            risk=first,
            log_amount=signed_log(amount / plan.amount_unit),
        )

    @classmethod
    def of_frame(
        cls, frame: pl.DataFrame, plan: FeaturePlan, accounts: Names, counterparties: Names
    ) -> Rows:
        """Read a canonical frame; names unseen in ``accounts`` become strangers."""
        time, amount = _integers(frame, "time"), _integers(frame, "amount")
        label = frame["label"].fill_null(-1).to_numpy().astype(np.int8)
        known_at = label_counts_from(time, frame["label_known_at"].fill_null(0).to_numpy(), plan)
        return cls(
            time=time,
            amount=amount,
            account=_codes(frame["account"], accounts),
            counterparty=_codes(frame["counterparty"], counterparties),
            label=label,
            known_at=known_at,
            risk=_risk(frame) if plan.first_stage else np.zeros(len(frame), np.int64),
            log_amount=signed_log(amount / plan.amount_unit),
        )


def label_counts_from(time: IntArray, known_at: IntArray, plan: FeaturePlan) -> IntArray:
    """Return µs UTC from which labels count: after the delay, or when known (0: no say) if later.

    Labels that come sooner wait for the delay, so that frauds and the genuine payments beside
    them stay in the order of their payments.
    """
    return np.maximum(time + plan.label_delay_days * DAY, known_at)


def names_in(column: pl.Series) -> Names:
    """Return the distinct names of a column, sorted."""
    return Names(column.drop_nulls().unique().sort().to_list())


def fixed_point(probability: FloatArray) -> IntArray:
    """Return probabilities in RISK_UNIT; a missing one counts as 0."""
    return np.rint(np.clip(np.nan_to_num(probability), 0.0, 1.0) * RISK_UNIT).astype(np.int64)


def signed_log(units: FloatArray) -> FloatArray:
    """Return sign(x)·log(1+|x|)."""
    return np.asarray(np.copysign(np.log1p(np.abs(units)), units), np.float64)


def _codes(column: pl.Series, names: Names) -> IntArray:
    import polars as pl

    if column.null_count() == len(column):
        return np.full(len(column), NOBODY, np.int64)
    own = column.drop_nulls().unique().sort()
    local = column.cast(pl.Enum(own)).to_physical().cast(pl.Int64).fill_null(NOBODY)
    return np.asarray(names.codes_of(Names(own.to_list()))[local.to_numpy()], np.int64)


def _integers(frame: pl.DataFrame, name: str) -> IntArray:
    if frame[name].null_count():
        raise Refused(
            "features",
            gettext_noop('The column "%(name)s" has empty cells; features need every value.'),
            name=name,
        )
    return np.asarray(frame[name].to_numpy(), np.int64)


def _risk(frame: pl.DataFrame) -> IntArray:
    if FIRST_STAGE not in frame.columns:
        raise Refused(
            "features",
            gettext_noop('These features need a column "%(name)s" of first-stage scores.'),
            name=FIRST_STAGE,
        )
    return fixed_point(frame[FIRST_STAGE].fill_null(0.0).to_numpy().astype(np.float64))
