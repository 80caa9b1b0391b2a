"""How a version does on this bank's own windows: counts, from which every ratio follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.evaluation import GRID, histogram
from banks.ml.ranking import average_precision, group_draws, paired_difference
from banks.ml.schema import DAY
from banks.models import Comparison, Evaluation, ModelVersion
from banks.services.datasets import Part, Prepared
from banks.services.scorers import Scorer, aligned

SMALL = 50_000
DRAWS, DRAWS_FOR_LARGE = 200, 60


@dataclass(frozen=True, eq=False)
class Measured:
    """A scorer's logits on one window, float64[n] in the order of its part, and the counts."""

    window: str
    part: Part
    since: datetime
    until: datetime
    label_delay_days: int
    logits: FloatArray

    @property
    def histogram(self) -> IntArray:
        """int64[2, bins]: genuine, fraud."""
        return histogram(self.logits, self.part.labels)

    @property
    def fraud_amounts(self) -> IntArray:
        """Minor units of fraud in each bin."""
        frauds = self.part.labels == 1
        bins = GRID.bin_of(self.logits[frauds])
        amounts = np.zeros(GRID.bins, dtype=np.int64)
        np.add.at(amounts, bins, self.part.amounts[frauds])
        return amounts

    @property
    def days(self) -> float:
        """Length of the window in days."""
        return (self.until - self.since).total_seconds() / 86400


def measure(scorer: Scorer, prepared: Prepared) -> dict[str, Measured]:
    """Score the validation and the test window. No database is touched."""
    windows = prepared.windows
    return {
        name: Measured(
            window=name,
            part=part,
            since=moment(getattr(windows, f"{name}_from")),
            until=moment(getattr(windows, f"{name}_until")),
            label_delay_days=round(windows.label_delay / DAY),
            logits=scorer.logits(aligned(part.X, prepared.features, scorer.features)),
        )
        for name, part in (("validation", prepared.validation), ("test", prepared.test))
    }


def store(version: ModelVersion, measured: dict[str, Measured]) -> None:
    """Write a version's counts; the same window again replaces them. Needs the bank's scope."""
    for found in measured.values():
        genuine, fraud = found.histogram
        Evaluation.objects.update_or_create(
            bank_id=version.bank_id,
            version=version,
            window=found.window,
            window_from=found.since,
            window_until=found.until,
            defaults={
                "label_delay_days": found.label_delay_days,
                "fraud": fraud.tolist(),
                "genuine": genuine.tolist(),
                "fraud_amount": found.fraud_amounts.tolist(),
                "immature": found.part.immature,
            },
        )


def compare(
    version: ModelVersion,
    baseline: ModelVersion,
    ours: Measured,
    theirs: Measured,
    *,
    alerts: int,
) -> Comparison:
    """Both versions on the same rows, each alerting on its ``alerts`` highest scores; unsaved.

    Frauds are paired row by row. The interval of the difference in average precision draws
    accounts, because the frauds of one account stand and fall together.
    """
    part = ours.part
    known = part.labels >= 0
    labels = part.labels[known]
    first, second = ours.logits[known], theirs.logits[known]
    alerts = min(alerts, len(labels))
    caught, caught_before = (
        _top(first, alerts) & (labels == 1),
        _top(second, alerts) & (labels == 1),
    )
    draws = (DRAWS if len(labels) <= SMALL else DRAWS_FOR_LARGE) if (labels == 1).any() else 0
    difference = (
        paired_difference(
            average_precision, first, second, labels, group_draws(_groups(part, known), draws, 0)
        )
        if draws
        else (None, None, None)
    )
    return Comparison(
        bank_id=version.bank_id,
        version=version,
        baseline=baseline,
        window_from=ours.since,
        window_until=ours.until,
        alerts=alerts,
        caught_by_both=int((caught & caught_before).sum()),
        caught_by_version=int((caught & ~caught_before).sum()),
        caught_by_baseline=int((~caught & caught_before).sum()),
        caught_by_neither=int(((labels == 1) & ~caught & ~caught_before).sum()),
        difference=difference[0],
        difference_low=difference[1],
        difference_high=difference[2],
        draws=draws,
    )


def moment(microseconds: int) -> datetime:
    """A time of the canonical frame as Django keeps it."""
    return datetime.fromtimestamp(microseconds / 1e6, tz=UTC)


def _top(logits: FloatArray, count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(logits), dtype=bool)
    chosen[np.argsort(-logits, kind="stable")[:count]] = True
    return chosen


def _groups(part: Part, known: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Accounts; transactions stand alone where the source names none."""
    accounts, ids = part.accounts[known], part.ids[known]
    return np.where(accounts == "", ids, accounts)
