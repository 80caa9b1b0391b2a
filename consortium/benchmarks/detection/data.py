"""From canonical frames to the matrices that are compared: windows, views and their features.

A *view* is what counterparty features are made from: a bank's own payments, or all banks' sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from banks.ml.courses import Own, first_stage_course, learn_first_stage
from banks.ml.features import FeaturePlan, Signal, build_features, feature_names
from banks.ml.features.plan import NEW
from banks.ml.features.rows import FIRST_STAGE, RISK_UNIT
from banks.ml.first_stage import half_of
from banks.ml.sampling import negative_rate, row_keys, sample
from banks.ml.schema import DAY, Mapping
from banks.ml.sources import read_sources
from banks.ml.summing import Adder
from banks.ml.windows import WARM_UP, WARM_UP_SHARE
from consortium.protocol.errors import Refused

Frames = dict[str, pl.DataFrame]
Period = tuple[int, int]


@dataclass(frozen=True)
class Periods:
    """Half-open periods in µs UTC."""

    train: Period
    validation: Period
    test: Period


@dataclass(frozen=True, eq=False)
class Window:
    """Labelled rows of one period."""

    X: NDArray[np.float32]
    y: NDArray[np.int8]
    keys: NDArray[np.uint64]
    counterparty: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.y)

    def sampled(self, rate: float, seed: int) -> Window:
        """All frauds and ``rate`` of the genuine rows."""
        kept = sample(self.y, self.keys, rate, seed)
        return Window(self.X[kept], self.y[kept], self.keys[kept], self.counterparty[kept])

    @classmethod
    def joined(cls, windows: Sequence[Window]) -> Window:
        """The rows of all windows, in their order."""
        names = ("X", "y", "keys", "counterparty")
        return cls(*(np.concatenate([getattr(w, name) for w in windows]) for name in names))


@dataclass(frozen=True, eq=False)
class BankWindows:
    """One bank's rows to train on, to tune on, and to be judged on."""

    bank: str
    train: Window
    validation: Window
    test: Window


@dataclass(frozen=True, eq=False)
class View:
    """All banks seen with one set of features."""

    features: tuple[str, ...]
    banks: list[BankWindows]

    @property
    def rate(self) -> float:
        """The share of genuine rows that training over all banks keeps."""
        return negative_rate(sum(int((bank.train.y == 0).sum()) for bank in self.banks))


def read(files: Sequence[Path], mapping: Mapping, banks_file: Path | None) -> Frames:
    """One canonical frame per bank."""
    return read_sources(files, mapping, banks_file)


def periods(
    frames: Frames, mapping: Mapping, train_until: str, validate: str, test: str
) -> Periods:
    """Days (ISO dates in the mapping's zone, or day numbers of relative time) as periods.

    The last day of each is included. Rows of the first days have no history and are not trained on.
    """
    first = min(int(frame["time"].min()) for frame in frames.values())  # type: ignore[arg-type]
    end = _day(train_until, mapping.zone, after=1)
    warm_up = min(WARM_UP, int((end - first) * WARM_UP_SHARE))
    return Periods(
        train=(first + warm_up, end),
        validation=_span(validate, mapping.zone),
        test=_span(test, mapping.zone),
    )


def plan_for(
    frames: Frames, mapping: Mapping, when: Periods, delay: int, bucket: int
) -> FeaturePlan:
    """The features of these data; the prior is the fraud rate of the training rows."""
    frauds = rows = 0
    for frame in frames.values():
        labels = frame.filter(pl.col("time") < when.train[1])["label"].drop_nulls()
        frauds, rows = frauds + int(labels.sum()), rows + len(labels)
    plan = FeaturePlan.for_mapping(
        mapping,
        label_delay_days=delay,
        bucket_hours=bucket,
        fraud_prior=round(frauds / max(rows, 1), 6),
    )
    return replace(plan, first_stage=NEW) if plan.can_explain else plan


def with_first_stage(
    frames: Frames, plan: FeaturePlan, when: Periods, *, seed: int, add: Adder, together: bool
) -> Frames:
    """The frames with a column ``first_stage``: one model of all banks, or each bank its own."""
    if not plan.first_stage:
        return frames
    course = first_stage_course(plan)
    rows = {bank: _AccountRows.of(frame, course.below) for bank, frame in frames.items()}
    owns = {bank: Own(own.within(when.train), own, seed) for bank, own in rows.items()}
    shared = learn_first_stage(course, list(owns.values()), add=add) if together else None
    scored = {}
    for bank, frame in frames.items():
        first = shared or learn_first_stage(course, [owns[bank]])
        risk = first.risk(rows[bank].X, half_of(rows[bank].accounts))
        scored[bank] = frame.with_columns(pl.Series(FIRST_STAGE, risk / RISK_UNIT))
    return scored


def view(frames: Frames, plan: FeaturePlan, when: Periods, *, joint: bool) -> View:
    """Features of all banks, with counterparty features from all banks' sums or each bank's own."""
    signal = None
    if joint and plan.uses_counterparties:
        signal = Signal.total([Signal.of_frame(frame, plan) for frame in frames.values()])
    banks = [_windows(bank, frame, plan, signal, when) for bank, frame in frames.items()]
    return View(feature_names(plan), banks)


def _windows(
    bank: str, frame: pl.DataFrame, plan: FeaturePlan, signal: Signal | None, when: Periods
) -> BankWindows:
    X = build_features(frame, plan, signal).drop("id").to_numpy().astype(np.float32, copy=False)
    time = frame["time"].to_numpy()
    label = frame["label"].fill_null(-1).to_numpy()
    ids = frame["id"].to_numpy()
    counterparty = frame["counterparty"].fill_null("").to_numpy()

    def cut(period: Period) -> Window:
        inside = np.flatnonzero((time >= period[0]) & (time < period[1]) & (label >= 0))
        return Window(
            X[inside],
            label[inside],
            row_keys(ids[inside].astype(np.str_)),
            row_keys(counterparty[inside].astype(np.str_)),
        )

    return BankWindows(bank, cut(when.train), cut(when.validation), cut(when.test))


@dataclass(frozen=True, eq=False)
class _AccountRows:
    """One bank's rows as a first stage sees them."""

    X: NDArray[np.float32]
    labels: NDArray[np.int8]
    ids: NDArray[np.str_]
    accounts: NDArray[np.str_]
    times: NDArray[np.int64]

    @classmethod
    def of(cls, frame: pl.DataFrame, plan: FeaturePlan) -> _AccountRows:
        return cls(
            X=build_features(frame, plan).drop("id").to_numpy().astype(np.float32, copy=False),
            labels=frame["label"].fill_null(-1).to_numpy(),
            ids=frame["id"].to_numpy().astype(np.str_),
            accounts=frame["account"].fill_null("").to_numpy().astype(np.str_),
            times=frame["time"].to_numpy(),
        )

    def within(self, period: Period) -> _AccountRows:
        inside = (self.times >= period[0]) & (self.times < period[1])
        return _AccountRows(**{name: column[inside] for name, column in vars(self).items()})


def _span(days: str, zone: str) -> Period:
    first, _, last = days.partition(":")
    return _day(first, zone), _day(last or first, zone, after=1)


def _day(text: str, zone: str, after: int = 0) -> int:
    """µs UTC at which a day begins (``after`` days later)."""
    if text.isdigit():
        return (int(text) + after) * DAY
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
    except ValueError as error:
        raise Refused(
            "day", "“%(text)s” is not a day: write it like 2018-07-17.", text=text
        ) from error
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(midnight.timestamp()) * 1_000_000
