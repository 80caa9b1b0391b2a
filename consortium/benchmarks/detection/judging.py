"""From logits to the rows of the report, for all banks together and for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.ml import ranking
from banks.ml.encoding import FloatArray
from consortium.benchmarks.detection.data import BankWindows

DRAWS = 100
TARGET_PRECISION = 0.8
Scorer = Callable[[NDArray[np.float32]], FloatArray]
Labels = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Scored:
    """Logits of every bank's validation and test rows by one contender."""

    scope: str
    model: str
    signal: bool
    seconds: float
    validation: list[FloatArray]
    test: list[FloatArray]

    @classmethod
    def by(
        cls,
        scope: str,
        model: str,
        banks: Sequence[BankWindows],
        scorers: Sequence[Scorer],
        *,
        signal: bool,
        seconds: float,
    ) -> Scored:
        """Score each bank with its own scorer (the same one where the model is shared)."""
        pairs = list(zip(banks, scorers, strict=True))
        return cls(
            scope,
            model,
            signal,
            seconds,
            [scorer(bank.validation.X) for bank, scorer in pairs],
            [scorer(bank.test.X) for bank, scorer in pairs],
        )


def report_rows(scored: Scored, banks: Sequence[BankWindows]) -> list[dict[str, Any]]:
    """One row for all banks and one for each; thresholds are the best F1 on validation."""
    validation_y = [bank.validation.y for bank in banks]
    test_y = [bank.test.y for bank in banks]
    together = _row(
        np.concatenate(scored.validation),
        np.concatenate(validation_y),
        np.concatenate(scored.test),
        np.concatenate(test_y),
    )
    each = [
        _row(*of_bank)
        for of_bank in zip(scored.validation, validation_y, scored.test, test_y, strict=True)
    ]
    frauds = np.array([row["frauds"] for row in each], dtype=np.float64)
    own = np.array([row["average_precision"] or 0.0 for row in each])
    together["average_precision_weighted_by_bank"] = _rounded((own * frauds).sum() / frauds.sum())
    head = {"scope": scored.scope, "model": scored.model, "signal": scored.signal}
    return [
        {**head, "bank": bank, **row, "seconds": round(scored.seconds, 2)}
        for bank, row in zip(["all", *(b.bank for b in banks)], [together, *each], strict=True)
    ]


def differences(
    pairs: Sequence[tuple[Scored, Scored]], banks: Sequence[BankWindows], seed: int
) -> list[dict[str, Any]]:
    """Paired differences of average precision, bootstrapped over counterparties."""
    labels = np.concatenate([bank.test.y for bank in banks])
    groups = np.concatenate([bank.test.counterparty for bank in banks])
    counts = ranking.group_draws(groups, DRAWS, seed)
    found = []
    for first, second in pairs:
        one, two = np.concatenate(first.test), np.concatenate(second.test)
        figures = ranking.paired_difference(ranking.average_precision, one, two, labels, counts)
        difference, low, high = map(_rounded, figures)
        found.append(
            {
                "first": _name(first),
                "second": _name(second),
                "average_precision": difference,
                "low": low,
                "high": high,
            }
        )
    return found


def _row(
    validation: FloatArray, validation_y: Labels, test: FloatArray, test_y: Labels
) -> dict[str, Any]:
    has_frauds = (validation_y == 1).any()
    threshold = ranking.best_f1_threshold(validation, validation_y) if has_frauds else np.inf
    alert, fraud = test >= threshold, test_y == 1
    hits = int((alert & fraud).sum())
    precision, recall = _share(hits, alert.sum()), _share(hits, fraud.sum())
    return {
        "average_precision": _rounded(ranking.average_precision(test, test_y)),
        "average_precision_validation": _rounded(
            ranking.average_precision(validation, validation_y)
        ),
        "recall_at_precision_80": _rounded(
            ranking.recall_at_precision(test, test_y, TARGET_PRECISION)
        ),
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * hits, alert.sum() + fraud.sum()),
        "rows": len(test_y),
        "frauds": int(fraud.sum()),
        "predicted_frauds": _rounded(ranking.sigmoid(test).sum()),
    }


def _name(scored: Scored) -> str:
    return f"{scored.scope} {scored.model} {'with' if scored.signal else 'without'} signal"


def _share(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _rounded(value: float) -> float | None:
    return None if not np.isfinite(value) else round(float(value), 5)
