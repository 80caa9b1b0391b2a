"""From features to scores and alerts, with the version in use; what was scored stays as it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from banks.ml.explanation import reasons
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.ranking import sigmoid
from banks.models import (
    Alert,
    AlertEvent,
    BankSettings,
    ModelVersion,
    Score,
    ShadowScore,
    Transaction,
)
from banks.services import stale_pasts
from banks.services.datasets import mapping_of
from banks.services.lookback import features_of
from banks.services.samples import drawn_loss, is_blind, is_sampled
from banks.services.scorers import Scorer, aligned, scorer_of
from banks.services.thresholds import threshold_of
from banks.services.versions import newest
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

Matrix = NDArray[np.float32]
Origin = ModelVersion.Origin
MOST_AT_ONCE = 100


class Conflict(Refused):
    """The same transaction id was already given with other content."""

    http_status = 409


@dataclass(frozen=True, eq=False)
class Judge:
    """A version with all that scoring needs of it."""

    version: ModelVersion
    scorer: Scorer
    plan: FeaturePlan
    threshold: float

    def probabilities(self, matrix_for: Callable[[FeaturePlan], Matrix]) -> NDArray[np.float64]:
        """p(fraud) for the rows whose features ``matrix_for`` gives."""
        return sigmoid(self.scorer.logits(self.inputs(matrix_for)))

    def inputs(self, matrix_for: Callable[[FeaturePlan], Matrix]) -> Matrix:
        """The columns the version was trained on, in its order."""
        return aligned(matrix_for(self.plan), feature_names(self.plan), self.scorer.features)


@dataclass(frozen=True, eq=False)
class Bench:
    """The version in use, and the others whose opinion is noted beside an alert."""

    bank: Bank
    judge: Judge
    recoverable: float
    challenger: Judge | None = None
    blind_share: float = 0.0
    sample_share: float = 0.0

    @property
    def judges(self) -> tuple[Judge, ...]:
        """Everybody who needs the features."""
        return (self.judge, *self.others, *((self.challenger,) if self.challenger else ()))

    @cached_property
    def others(self) -> tuple[Judge, ...]:
        """Read when first asked for, since most payments raise no alert; in the bank's scope."""
        version = self.judge.version
        newest_ones = (newest(self.bank, origin) for origin in (Origin.ALONE, Origin.CONSORTIUM))
        return tuple(_judge(other) for other in newest_ones if other and other.pk != version.pk)


@dataclass(frozen=True)
class NewTransaction:
    """A transaction as a program hands it in; ``amount`` in minor units."""

    id: str
    time: datetime
    amount: int
    account: str = ""
    counterparty: str = ""
    currency: str = "JPY"
    channel: str = ""
    extra: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Scored:
    """What became of one transaction."""

    transaction: Transaction
    score: Score
    alert: Alert | None
    threshold: float


def bench_of(bank: Bank) -> Bench | None:
    """Who scores for this bank now; None before the first version. Needs the bank's scope."""
    settings = (
        BankSettings.objects.select_related("scoring_version")
        .defer("scoring_version__artifact")
        .filter(bank=bank)
        .first()
    )
    if settings is None or settings.scoring_version is None:
        return None
    return Bench(
        bank=bank,
        judge=_judge(settings.scoring_version),
        recoverable=settings.recoverable_share,
        challenger=_challenger(settings),
        blind_share=settings.blind_share,
        sample_share=settings.sample_share,
    )


def score_transactions(*, bank: Bank, transactions: Sequence[NewTransaction]) -> list[Scored]:
    """Store, score and judge a few transactions; the same again gives the same answer.

    Raises Refused before the first model, for too many at once, and Conflict when an id comes
    back with other content; then nothing has changed.
    """
    if not 1 <= len(transactions) <= MOST_AT_ONCE:
        raise Refused(
            "too_many",
            gettext_noop("Send 1 to %(most)s transactions at once; these are %(count)s."),
            most=MOST_AT_ONCE,
            count=len(transactions),
        )
    with bank_scope(bank.pk):
        bench = bench_of(bank)
        if bench is None:
            raise Refused("no_model", gettext_noop("This bank has no model yet. Train one first."))
        extra = mapping_of(bank).extra if bench.judge.plan.extra else ()
        return [_score_one(bench, given, extra) for given in transactions]


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
    Score.objects.bulk_create(scores, batch_size=5000)
    if bench.challenger:
        _score_along(bench, bench.challenger, scores, matrix_for)
    above = [
        row
        for row, transaction in enumerate(transactions)
        if probabilities[row] >= judge.threshold or is_sampled(transaction, bench.sample_share)
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
        batch_size=5000,
    )
    return scores, alerts


def _challenger(settings: BankSettings) -> Judge | None:
    if settings.shadow_version_id in (None, settings.scoring_version_id):
        return None
    return _judge(ModelVersion.objects.defer("artifact").get(pk=settings.shadow_version_id))


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
        batch_size=5000,
        ignore_conflicts=True,
    )


def _judge(version: ModelVersion) -> Judge:
    return Judge(
        version=version,
        scorer=scorer_of(version),
        plan=FeaturePlan.from_json(version.feature_plan),
        threshold=threshold_of(version),
    )


def _score_one(bench: Bench, given: NewTransaction, extra: tuple[str, ...]) -> Scored:
    values = dict(given.extra)
    transaction, created = Transaction.objects.get_or_create(
        bank=bench.bank,
        external_id=given.id,
        defaults={
            "time": given.time,
            "account": given.account,
            "counterparty": given.counterparty,
            "amount": given.amount,
            "currency": given.currency,
            "channel": given.channel,
            "extra": [values.get(name, math.nan) for name in extra] if extra else None,
        },
    )
    if not created:
        if not _is_same(transaction, given):
            raise Conflict(
                "id_conflict",
                gettext_noop("The transaction id %(id)s is already stored with other content."),
                field="id",
                id=given.id,
            )
        if known := _known(transaction):
            return known
    else:
        stale_pasts.note_transactions(bench.bank, [transaction.pk])
    row = features_of(transaction, extra)
    scores, alerts = raise_alerts(bench, [transaction], lambda plan: row(plan)[None, :])
    alert = alerts[0] if alerts and not alerts[0].sample else None
    return Scored(transaction, scores[0], alert, bench.judge.threshold)


def _known(transaction: Transaction) -> Scored | None:
    score = Score.objects.filter(transaction=transaction).order_by("-scored_at").first()
    if score is None:
        return None
    alert = Alert.objects.filter(transaction=transaction, sample=False).first()
    threshold = alert.threshold if alert else threshold_of(score.version)
    return Scored(transaction, score, alert, threshold)


def _is_same(stored: Transaction, given: NewTransaction) -> bool:
    return (stored.time, stored.amount, stored.account, stored.counterparty) == (
        given.time,
        given.amount,
        given.account,
        given.counterparty,
    )


def _alert(
    bench: Bench, score: Score, inputs: Matrix, opinions: dict[str, tuple[Judge, float]]
) -> Alert:
    version = bench.judge.version
    typical = [np.nan if value is None else value for value in version.typical]
    sample = score.probability < bench.judge.threshold
    blind = not sample and is_blind(score.transaction, bench.blind_share)
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
        drawn_loss=drawn_loss(score.transaction, bench.judge.threshold, bench.recoverable)
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
