"""Scores of rows, and alerts on those that a person should look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from django.db import connection
from django.utils import timezone

from banks.ml.explanation import reasons
from banks.ml.features.plan import FeaturePlan
from banks.models import Alert, AlertEvent, ModelVersion, Score, ShadowScore, Transaction
from banks.services.scoring.bench import Bench, Judge, Matrix, Origin

ROWS_AT_ONCE: Final = 5000
STORED: Final = ("bank_id", "transaction_id", "version_id", "probability", "scored_at")
STORE: Final = """
    INSERT INTO banks_score (bank_id, transaction_id, version_id, probability, scored_at)
    VALUES {rows} RETURNING id
"""


def raise_alerts(
    bench: Bench,
    transactions: Sequence[Transaction],
    matrix_for: Callable[[FeaturePlan], Matrix],
) -> tuple[list[Score], list[Alert]]:
    """Score rows and alert on those at or above the threshold; call in the bank's scope.

    A few below it are drawn to be looked at all the same: they come among the alerts, as samples.
    ``matrix_for`` gives the features of ``transactions``, in their order, for a plan.
    """
    judge = bench.judge
    probabilities = judge.probabilities(matrix_for)
    scores = [
        Score(
            bank=bench.bank,
            transaction=transaction,
            version=judge.version,
            probability=float(probability),
        )
        for transaction, probability in zip(transactions, probabilities, strict=True)
    ]
    for start in range(0, len(scores), ROWS_AT_ONCE):
        _store(scores[start : start + ROWS_AT_ONCE])
    if bench.challenger:
        _score_along(bench, bench.challenger, scores, matrix_for)
    above = [
        row
        for row, transaction in enumerate(transactions)
        if probabilities[row] >= judge.threshold
        or bench.draws.is_sampled(transaction, bench.sample_share)
    ]
    if not above:
        return scores, []
    opinions = {
        other.version.origin: (other, other.probabilities(lambda plan: matrix_for(plan)[above]))
        for other in bench.others
    }
    inputs = judge.inputs(lambda plan: matrix_for(plan)[above])
    alerts = [
        _alert(bench, scores[row], inputs[place], _opinions_at(opinions, place))
        for place, row in enumerate(above)
    ]
    Alert.objects.bulk_create(alerts, batch_size=1000)
    AlertEvent.objects.bulk_create(
        [
            AlertEvent(bank=bench.bank, alert=alert, kind=AlertEvent.Kind.RAISED, user=None)
            for alert in alerts
        ],
        batch_size=ROWS_AT_ONCE,
    )
    return scores, alerts


def _store(scores: Sequence[Score]) -> None:
    """Insert them and give them their keys."""
    rows = [tuple(getattr(score, name) for name in STORED) for score in scores]
    with connection.cursor() as cursor:
        cursor.execute(STORE.format(rows=", ".join(["%s"] * len(rows))), rows)
        for score, [key] in zip(scores, cursor.fetchall(), strict=True):
            score.pk = key


def _score_along(
    bench: Bench,
    challenger: Judge,
    scores: Sequence[Score],
    matrix_for: Callable[[FeaturePlan], Matrix],
) -> None:
    """Note what the challenger would have done; nothing follows from it."""
    ShadowScore.objects.bulk_create(
        [
            ShadowScore(
                bank=bench.bank,
                transaction=score.transaction,
                version=challenger.version,
                champion=score.version,
                probability=float(probability),
                champion_probability=score.probability,
                would_alert=bool(probability >= challenger.threshold),
                champion_alerted=score.probability >= bench.judge.threshold,
            )
            for score, probability in zip(scores, challenger.probabilities(matrix_for), strict=True)
        ],
        batch_size=ROWS_AT_ONCE,
        ignore_conflicts=True,
    )


def _alert(
    bench: Bench, score: Score, inputs: Matrix, opinions: dict[str, tuple[Judge, float]]
) -> Alert:
    version = bench.judge.version
    typical = [np.nan if value is None else value for value in version.typical]
    sample = score.probability < bench.judge.threshold
    blind = not sample and bench.draws.is_blind(score.transaction, bench.blind_share)
    return Alert(
        bank=bench.bank,
        transaction=score.transaction,
        version=version,
        probability=score.probability,
        threshold=bench.judge.threshold,
        channel=score.transaction.channel,
        amount=score.transaction.amount,
        other_probabilities={origin: p for origin, (_, p) in opinions.items()},
        only_consortium=not sample and _only_consortium(version, opinions),
        expected_loss=round(score.probability * score.transaction.amount * bench.recoverable),
        blind=blind,
        sample=sample,
        sampling_share=bench.sample_share if sample else None,
        drawn_loss=bench.draws.place(score.transaction, bench.judge.threshold, bench.recoverable)
        if blind or sample
        else None,
        features=[None if np.isnan(value) else float(value) for value in inputs],
        reasons=[vars(reason) for reason in reasons(bench.judge.scorer, inputs, typical)],  # type: ignore[arg-type]
        created_at=timezone.now(),
    )


def _opinions_at(opinions: dict[str, Any], place: int) -> dict[str, tuple[Judge, float]]:
    return {origin: (judge, float(p[place])) for origin, (judge, p) in opinions.items()}


def _only_consortium(version: ModelVersion, opinions: dict[str, tuple[Judge, float]]) -> bool:
    """Whether the bank's own model would have let it pass."""
    if version.origin == Origin.ALONE or Origin.ALONE not in opinions:
        return False
    own, probability = opinions[Origin.ALONE]
    return probability < own.threshold
