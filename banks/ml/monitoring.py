"""What a bank's counted days say beside the reference: each thing watched, and its band.

Everything comes from counts that are stored once a day; nothing here reads a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np

from banks.ml import drift
from banks.ml.arrival import Known, arrival
from banks.ml.drift import ACTING, LEAST_DAYS, LEAST_ROWS, STABLE, UNKNOWN, WATCHED, Shift
from banks.ml.features.plan import OF_THE_WHOLE_PAST
from consortium.intervals import Interval, wilson

RECENT: Final = 7
"""Days with payments that count as now."""
RATIO_WATCH, RATIO_ACT = 1.5, 2.0
GAP_WATCH, GAP_ACT = 0.05, 0.20
FEATURES_TO_ACT, LEAST_FEATURES = 0.2, 3
ORDER: Final = {ACTING: 0, WATCHED: 1, UNKNOWN: 2, STABLE: 3}


class Reference(Protocol):
    """The counts of the window on which a version was chosen."""

    counts: Mapping[str, list[int]]
    scores: list[int]
    channels: Mapping[str, int]
    blanks: Mapping[str, int]
    volumes: list[int]
    lags: list[int]
    lag_payments: int
    payments: int
    window_until: datetime | None
    seen_until: datetime | None


class Day(Protocol):
    """The counts of one day since."""

    day: date
    payments: int
    rows: int
    counts: Mapping[str, list[int]]
    scores: list[int]
    channels: Mapping[str, int]
    blanks: Mapping[str, int]
    lags: list[int]
    labelled: int
    untimed: int


@dataclass(frozen=True)
class Part:
    """A share then and now, each with its n; ``wide`` says how far apart they may lie."""

    name: str
    before: int
    before_of: int
    now: int
    now_of: int

    @property
    def usual(self) -> float | None:
        return self.before / self.before_of if self.before_of else None

    @property
    def share(self) -> float | None:
        return self.now / self.now_of if self.now_of else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.now, self.now_of)

    @property
    def apart(self) -> bool:
        """Whether the two 95 % intervals do not meet."""
        then, now = wilson(self.before, self.before_of), self.interval
        return bool(then and now and (now.low > then.high or now.high < then.low))

    @property
    def gap_band(self) -> str:
        """By how many points the share moved."""
        if self.usual is None or self.share is None or self.now_of < LEAST_ROWS:
            return UNKNOWN
        gap = abs(self.share - self.usual)
        if gap < GAP_WATCH or not self.apart:
            return STABLE
        return ACTING if gap >= GAP_ACT else WATCHED

    @property
    def ratio_band(self) -> str:
        """By how many times the share moved."""
        if not self.usual or self.share is None or self.now_of < LEAST_ROWS:
            return UNKNOWN
        ratio = max(self.share, 1e-9) / self.usual
        ratio = max(ratio, 1 / ratio)
        if ratio < RATIO_WATCH or not self.apart:
            return STABLE
        return ACTING if ratio >= RATIO_ACT else WATCHED


@dataclass(frozen=True)
class Watched:
    """A feature the model uses: its shift and its missing values."""

    name: str
    shift: Shift
    missing: Part


@dataclass(frozen=True)
class Judged:
    """All that is watched, over the latest ``RECENT`` counted days."""

    reference: Reference
    days: Sequence[Day]
    cut: int  # the first bin of the score that alerts
    ages: Sequence[float]  # days from the end of each day to the latest that the data know of

    @cached_property
    def recent(self) -> Sequence[Day]:
        return self.days[-RECENT:]

    @cached_property
    def starts(self) -> Any:
        """Where the deciles of the reference's score begin."""
        return drift.decile_starts(self.reference.scores)

    @cached_property
    def score(self) -> Shift:
        return drift.shift_of(
            drift.merged(self.reference.scores, self.starts),
            drift.merged([day.scores for day in self.recent], self.starts)
            if self.recent
            else np.zeros((0, len(self.starts))),
        )

    @cached_property
    def features(self) -> list[Watched]:
        """The furthest first."""
        found = [self._feature(name, list(then)) for name, then in self.reference.counts.items()]
        return sorted(found, key=lambda one: (ORDER[one.shift.band], -(one.shift.psi or 0)))

    @cached_property
    def channels(self) -> tuple[Shift, list[str]]:
        """The shift of the channels, and those that the reference never saw."""
        then = self.reference.channels
        names = sorted({*then, *(name for day in self.recent for name in day.channels)})
        by_day = [[day.channels.get(name, 0) for name in names] for day in self.recent]
        unseen = [name for name in names if not then.get(name)]
        return drift.shift_of([then.get(name, 0) for name in names], by_day), unseen

    @cached_property
    def alerts(self) -> Part:
        """Payments that score at or above the threshold."""
        before, now = np.asarray(self.reference.scores), self._recent_scores
        return Part(
            "alerts",
            int(before[self.cut :].sum()),
            int(before.sum()),
            int(now[self.cut :].sum()),
            int(now.sum()),
        )

    @cached_property
    def blanks(self) -> list[Part]:
        """Empty columns of the payments themselves."""
        now_of = sum(day.payments for day in self.recent)
        return [
            Part(
                name,
                self.reference.blanks[name],
                self.reference.payments,
                sum(day.blanks.get(name, 0) for day in self.recent),
                now_of,
            )
            for name in self.reference.blanks
        ]

    @property
    def volume_band(self) -> str:
        """Recent days outside the range of the reference's days: by a half or double it acts."""
        usual, now = self.reference.volumes, [day.payments for day in self.recent]
        if len(usual) < LEAST_DAYS or len(now) < LEAST_DAYS:
            return UNKNOWN
        middle = float(np.median(now))
        if middle < min(usual) / RATIO_ACT or middle > max(usual) * RATIO_ACT:
            return ACTING
        return STABLE if min(usual) <= middle <= max(usual) else WATCHED

    @cached_property
    def usual_arrival(self) -> list[Known]:
        """Labels known by age, of the reference's payments; those too young say nothing."""
        reference = self.reference
        if not reference.lags or not (reference.seen_until and reference.window_until):
            return []
        age = (reference.seen_until - reference.window_until).total_seconds() / 86400
        return arrival([reference.lags], [reference.lag_payments], [age])

    @cached_property
    def recent_arrival(self) -> list[Known]:
        """The same of the latest days that have reached each age."""
        if not self.days:
            return []
        return arrival(
            [day.lags for day in self.days],
            [day.payments - day.untimed for day in self.days],
            self.ages,
            latest=RECENT,
        )

    @property
    def untimed(self) -> int:
        """Labels of the counted days of which nobody wrote when they became known."""
        return sum(day.untimed for day in self.days)

    def labels_at(self, age: int) -> Part | None:
        """The share known by this age then and now; None where one of them is not known."""
        if not self.usual_arrival or not self.recent_arrival:
            return None
        then, now = self.usual_arrival[age], self.recent_arrival[age]
        if then.share is None or now.share is None:
            return None
        return Part("labels", then.known, then.payments, now.known, now.payments)

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """What asks for another training, with its figures; empty where nothing does.

        Missing columns, labels that stay away and odd volumes are faults of the data: a training
        would learn them, so they ask for none. Nor do features of the whole past, which move by
        themselves.
        """
        found: list[dict[str, Any]] = []
        if self.score.band == ACTING:
            found.append({"what": "score", **_figures(self.score)})
        if self.alerts.ratio_band == ACTING:
            part = self.alerts
            found.append(
                {"what": "alerts", "usual": part.usual, "now": part.share, "rows": part.now_of}
            )
        asking = [one for one in self.features if one.name not in OF_THE_WHOLE_PAST]
        acting = [one for one in asking if one.shift.band == ACTING]
        if len(acting) >= max(LEAST_FEATURES, FEATURES_TO_ACT * len(asking)):
            found += [
                {"what": "feature", "name": one.name, **_figures(one.shift)} for one in acting
            ]
        return found

    @cached_property
    def _recent_scores(self) -> Any:
        if not self.recent:
            return np.zeros(len(self.reference.scores), dtype=np.int64)
        return np.asarray([day.scores for day in self.recent]).sum(axis=0)

    def _feature(self, name: str, then: list[int]) -> Watched:
        by_day = [day.counts[name] for day in self.recent if name in day.counts]
        now = np.asarray(by_day, dtype=np.int64).reshape(-1, len(then)).sum(axis=0)
        missing = Part(name, then[-1], sum(then), int(now[-1]), int(now.sum()))
        return Watched(name, drift.shift_of(then, by_day), missing)


def _figures(shift: Shift) -> dict[str, Any]:
    return {"psi": shift.psi, "low": shift.low, "high": shift.high, "rows": shift.rows}
