"""Alone or with the consortium: at as many alerts, on the same transactions, fraud by fraud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from banks.ml.scored import Mask
from banks.models import BankSettings, Comparison, EvaluatedRows, Evaluation, ModelVersion
from banks.selectors.drilldown import BAND, CHANNEL, TYPOLOGY, Window, window_of
from consortium.accounts.models import Bank

WHO: Final = ("version", "baseline", "both", "neither")


@dataclass(frozen=True)
class Part:
    """One part of the window: how many of its frauds each model catches."""

    kind: str
    value: str
    name: str
    frauds: int
    by_version: int
    by_baseline: int

    @property
    def gained(self) -> int:
        return self.by_version - self.by_baseline


@dataclass(frozen=True, eq=False)
class Pairing:
    """A version and the bank's own model, each with as many alerts, on the same rows."""

    comparison: Comparison
    window: Window
    ours: Mask
    theirs: Mask

    @cached_property
    def frauds(self) -> Mask:
        return np.equal(self.window.rows.labels, 1)

    def caught(self, who: str) -> Mask:
        """The frauds that only the version, only the baseline, both or neither alerts on."""
        ours, theirs = self.ours, self.theirs
        by = {
            "version": ours & ~theirs,
            "baseline": ~ours & theirs,
            "both": ours & theirs,
            "neither": ~ours & ~theirs,
        }
        return self.frauds & by[who]

    def counts(self) -> dict[str, int]:
        return {who: int(self.caught(who).sum()) for who in WHO}

    def parts(self) -> list[Part]:
        """By channel, amount and named typology; parts without a fraud are left out."""
        found = [
            self._part(kind, value, name, self.window.part(kind, value))
            for kind in (CHANNEL, BAND, TYPOLOGY)
            for value, name in self.window.names(kind)
        ]
        return [part for part in found if part.frauds]

    def months(self, zone: str) -> Iterator[Part]:
        """By month on the bank's own clock, oldest first."""
        clock = ZoneInfo(zone)
        names = np.full(len(self.frauds), "", dtype="<U7")
        names[self.frauds] = [
            f"{datetime.fromtimestamp(time / 1e6, tz=UTC).astimezone(clock):%Y-%m}"
            for time in self.window.rows.times[self.frauds].tolist()
        ]
        for name in np.unique(names[self.frauds]).tolist():
            yield self._part("month", name, name, np.equal(names, name))

    def _part(self, kind: str, value: str, name: str, which: Any) -> Part:
        inside = self.frauds & which
        return Part(
            kind=kind,
            value=value,
            name=name,
            frauds=int(inside.sum()),
            by_version=int((inside & self.ours).sum()),
            by_baseline=int((inside & self.theirs).sum()),
        )


def pairing(comparison: Comparison) -> Pairing | None:
    """The rows behind a comparison; None where they were not kept, or are not the same rows."""
    ours, theirs = (
        _window(comparison, version) for version in (comparison.version_id, comparison.baseline_id)
    )
    if ours is None or theirs is None:
        return None
    if not np.array_equal(ours.rows.keys, theirs.rows.keys):
        return None
    return Pairing(
        comparison=comparison,
        window=ours,
        ours=ours.rows.top(comparison.alerts),
        theirs=theirs.rows.top(comparison.alerts),
    )


def newest_comparison(version: ModelVersion) -> Comparison | None:
    """A version's latest comparison with the bank's own model."""
    return (
        Comparison.objects.select_related("version", "baseline")
        .defer("version__artifact", "baseline__artifact")
        .filter(version=version)
        .order_by("-window_until", "-pk")
        .first()
    )


def left_out(bank: Bank, compared: list[Evaluation]) -> list[Evaluation]:
    """The newest version of each kind that was judged on another window than ``compared``."""
    if not compared:
        return []
    window = compared[0]
    origins = {one.version.origin for one in compared}
    found = []
    for origin in ModelVersion.Origin.values:
        newest = (
            Evaluation.objects.select_related("version")
            .defer("version__artifact")
            .filter(bank=bank, window=Evaluation.Window.TEST, version__origin=origin)
            .order_by("-version__number", "-window_until")
            .first()
        )
        other = newest and newest.window_until != window.window_until
        if newest and (origin not in origins or other):
            shown = {one.version_id for one in compared}
            if newest.version_id not in shown:
                found.append(newest)
    return found


def zone_of(bank: Bank) -> str:
    """The bank's own clock."""
    found = BankSettings.objects.filter(bank=bank).values_list("zone", flat=True).first()
    return found or "UTC"


def _window(comparison: Comparison, version_id: Any) -> Window | None:
    evaluation = Evaluation.objects.filter(
        version_id=version_id,
        window=Evaluation.Window.TEST,
        window_from=comparison.window_from,
        window_until=comparison.window_until,
    ).first()
    if evaluation is None or not EvaluatedRows.objects.filter(evaluation=evaluation).exists():
        return None
    return window_of(evaluation)
