"""How a version does on this bank's own windows: counts, from which every ratio follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from banks.ml.daily import daily_hits
from banks.ml.encoding import FloatArray, IntArray
from banks.ml.evaluation import GRID, histogram
from banks.ml.intervals import percentile_interval
from banks.ml.ranking import average_precision, group_draws, paired_difference
from banks.ml.schema import DAY
from banks.ml.segments import Segment, by_amount, by_channel, by_typology
from banks.models import Alert, Comparison, Evaluation, EvaluationSegment, ModelVersion
from banks.services import evaluated_rows
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

    def fraud_amounts(self, rows: NDArray[np.bool_] | None = None) -> IntArray:
        """Minor units of fraud in each bin, of some rows or of all."""
        amounts = np.zeros(GRID.bins, dtype=np.int64)
        np.add.at(amounts, *self._frauds(rows))
        return amounts

    @property
    def squared_amounts(self) -> FloatArray:
        """Sums of squares of the frauds' amounts in each bin."""
        bins, amounts = self._frauds(None)
        squares = np.bincount(bins, amounts.astype(np.float64) ** 2, minlength=GRID.bins)
        return squares.astype(np.float64)

    def _frauds(self, rows: NDArray[np.bool_] | None) -> tuple[NDArray[np.intp], IntArray]:
        frauds = self.part.labels == 1
        if rows is not None:
            frauds &= rows
        return GRID.bin_of(self.logits[frauds]), self.part.amounts[frauds]

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
        part = found.part
        stored, _ = Evaluation.objects.update_or_create(
            bank_id=version.bank_id,
            version=version,
            window=found.window,
            window_from=found.since,
            window_until=found.until,
            defaults={
                "label_delay_days": found.label_delay_days,
                "fraud": fraud.tolist(),
                "genuine": genuine.tolist(),
                "fraud_amount": found.fraud_amounts().tolist(),
                "fraud_amount_squared": found.squared_amounts.tolist(),
                "daily": daily_hits(found.logits, part.labels, part.accounts, part.times),
                "immature": part.immature,
            },
        )
        _store_segments(stored, found)
        if found.window == Evaluation.Window.TEST:
            evaluated_rows.keep(stored, part, found.logits)


def _store_segments(stored: Evaluation, found: Measured) -> None:
    part = found.part
    EvaluationSegment.objects.filter(evaluation=stored).delete()
    EvaluationSegment.objects.bulk_create(
        [
            _segment(stored, found, segment)
            for segment in (
                *by_channel(part.channels),
                *by_amount(part.amounts),
                *by_typology(_typologies(part), part.labels),
            )
        ]
    )


def _segment(stored: Evaluation, found: Measured, segment: Segment) -> EvaluationSegment:
    rows = segment.rows
    genuine, fraud = histogram(found.logits[rows], found.part.labels[rows])
    return EvaluationSegment(
        bank_id=stored.bank_id,
        evaluation=stored,
        kind=segment.kind,
        name=segment.name[:24],
        fraud=fraud.tolist(),
        genuine=genuine.tolist(),
        fraud_amount=found.fraud_amounts(rows).tolist(),
    )


def _typologies(part: Part) -> NDArray[np.str_]:
    """What analysts decided each fraud to be; "" where nobody has."""
    named = Alert.objects.filter(
        disposition=Alert.Disposition.FRAUD, transaction_id__in=part.keys[part.labels == 1].tolist()
    )
    said = dict(named.values_list("transaction_id", "reason_code"))
    return np.array([said.get(key, "") for key in part.keys.tolist()], dtype=np.str_)


def compare(
    version: ModelVersion,
    baseline: ModelVersion,
    ours: Measured,
    theirs: Measured,
    *,
    alerts: int,
) -> Comparison:
    """Both versions on the same rows, each alerting on its ``alerts`` highest scores; unsaved.

    Frauds are paired row by row. The intervals of the differences draw accounts, because the
    frauds of one account stand and fall together.
    """
    known = ours.part.labels >= 0
    labels = ours.part.labels[known]
    first, second = ours.logits[known], theirs.logits[known]
    alerts = min(alerts, len(labels))
    caught, before = (_top(logits, alerts) & (labels == 1) for logits in (first, second))
    amounts = ours.part.amounts[known]
    return Comparison(
        bank_id=version.bank_id,
        version=version,
        baseline=baseline,
        window_from=ours.since,
        window_until=ours.until,
        alerts=alerts,
        caught_by_both=int((caught & before).sum()),
        caught_by_version=int((caught & ~before).sum()),
        caught_by_baseline=int((~caught & before).sum()),
        caught_by_neither=int(((labels == 1) & ~caught & ~before).sum()),
        value_by_version=int(amounts[caught].sum()),
        value_by_baseline=int(amounts[before].sum()),
        **_differences(first, second, labels, caught.astype(np.int64) - before, ours.part),
    )


def _differences(
    first: FloatArray, second: FloatArray, labels: NDArray[np.int8], gained: IntArray, part: Part
) -> dict[str, float | int]:
    """The columns of a comparison that come with intervals; none without frauds."""
    if not (labels == 1).any():
        return {"draws": 0}
    draws = DRAWS if len(labels) <= SMALL else DRAWS_FOR_LARGE
    counts = group_draws(_groups(part, part.labels >= 0), draws, 0)
    difference, low, high = paired_difference(average_precision, first, second, labels, counts)
    drawn = percentile_interval((counts @ gained).astype(np.float64))
    return {
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "gained_low": math.floor(drawn.low),
        "gained_high": math.ceil(drawn.high),
        "draws": draws,
    }


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
