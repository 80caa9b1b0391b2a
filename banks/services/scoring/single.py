"""A few payments handed in by a program: stored, scored and judged at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from banks.models import Alert, Score, Transaction
from banks.services import stale_pasts
from banks.services.datasets import mapping_of
from banks.services.lookback import features_of
from banks.services.scoring.alerting import raise_alerts
from banks.services.scoring.bench import Bench, bench_of
from banks.services.thresholds import threshold_of
from consortium.accounts.models import Bank
from consortium.protocol.errors import Refused, gettext_noop

MOST_AT_ONCE = 100
COMPARED: Final = ("time", "amount", "account", "counterparty")
STORED: Final = ("bank_id", "external_id", *COMPARED, "currency", "channel", "extra")
STORE: Final = """
    INSERT INTO banks_transaction
        (bank_id, external_id, time, amount, account, counterparty, currency, channel, extra)
    VALUES %s
    ON CONFLICT (bank_id, external_id) DO NOTHING
    RETURNING id
"""


class Conflict(Refused):
    """The same transaction id was already given with other content."""

    http_status = 409


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


def score_transactions(*, bank: Bank, transactions: Sequence[NewTransaction]) -> list[Scored]:
    """Store, score and judge a few transactions; the same again gives the same answer.

    Call in the bank's scope, which an error must end: what was stored before it goes with it.

    Raises Refused before the first model, for too many at once, and Conflict when an id comes
    back with other content.
    """
    if not 1 <= len(transactions) <= MOST_AT_ONCE:
        raise Refused(
            "too_many",
            gettext_noop("Send 1 to %(most)s transactions at once; these are %(count)s."),
            most=MOST_AT_ONCE,
            count=len(transactions),
        )
    bench = bench_of(bank)
    if bench is None:
        raise Refused("no_model", gettext_noop("This bank has no model yet. Train one first."))
    extra = mapping_of(bank).extra if bench.judge.plan.extra else ()
    return [_score_one(bench, given, extra) for given in transactions]


def _score_one(bench: Bench, given: NewTransaction, extra: tuple[str, ...]) -> Scored:
    transaction = _transaction(bench.bank, given, extra)
    if _store(transaction):
        stale_pasts.note_transactions(bench.bank, [transaction.pk])
    else:
        transaction = _stored(transaction)
        if known := _known(transaction):
            return known
    row = features_of(transaction, extra)
    scores, alerts = raise_alerts(bench, [transaction], lambda plan: row(plan)[None, :])
    alert = alerts[0] if alerts and not alerts[0].sample else None
    return Scored(transaction, scores[0], alert, bench.judge.threshold)


def _transaction(bank: Bank, given: NewTransaction, extra: tuple[str, ...]) -> Transaction:
    values = dict(given.extra)
    return Transaction(
        bank=bank,
        external_id=given.id,
        time=given.time,
        account=given.account,
        counterparty=given.counterparty,
        amount=given.amount,
        currency=given.currency,
        channel=given.channel,
        extra=[values.get(name, math.nan) for name in extra] if extra else None,
    )


def _store(transaction: Transaction) -> bool:
    """Whether it is new; if so it now has its key."""
    with connection.cursor() as cursor:
        cursor.execute(STORE, [tuple(getattr(transaction, name) for name in STORED)])
        found = cursor.fetchone()
    if found:
        [transaction.pk] = found
    return bool(found)


def _stored(given: Transaction) -> Transaction:
    """The transaction of the same id, if it says the same."""
    stored = Transaction.objects.get(bank=given.bank, external_id=given.external_id)
    if any(getattr(stored, name) != getattr(given, name) for name in COMPARED):
        raise Conflict(
            "id_conflict",
            gettext_noop("The transaction id %(id)s is already stored with other content."),
            field="id",
            id=given.external_id,
        )
    return stored


def _known(transaction: Transaction) -> Scored | None:
    score = Score.objects.filter(transaction=transaction).order_by("-scored_at").first()
    if score is None:
        return None
    alert = Alert.objects.filter(transaction=transaction, sample=False).first()
    threshold = alert.threshold if alert else threshold_of(score.version)
    return Scored(transaction, score, alert, threshold)
