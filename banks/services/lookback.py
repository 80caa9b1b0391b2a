"""One transaction's features from what its account and its counterparty did before.

What was carried forward of their past (``carrying``) is taken as it is, and the payments since are
read; what other banks were heard to know is added where the plan has the joint view. Sums are
exact integers, so this gives the same bits as the whole table would. Only numpy: this runs in the
web process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.db import connection

from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import Rows
from banks.ml.features.single import (
    AccountPast,
    CounterpartyPast,
    Transaction,
    features_from_history,
)
from banks.models import CarriedPast
from banks.services import explaining, first_stages
from banks.services.signal import joint, openings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from banks import models

Side = CarriedPast.Side
Pasts = tuple[AccountPast, CounterpartyPast]
Row = tuple[int, int, int, int, str]  # time, amount, label or −1, known at or 0, account

EVER: Final = "-infinity"
NOTHING: Final[Pasts] = (AccountPast(), CounterpartyPast())
SIDES: Final = ((Side.ACCOUNT, "account"), (Side.COUNTERPARTY, "counterparty"))
# One question a side: PostgreSQL answers both by the index, but not an OR of the two.
CARRIED: Final = """
    SELECT p.side, c.until, p.content
    FROM banks_carry c JOIN banks_carriedpast p ON p.carry_id = c.id
    WHERE c.bank_id = %(bank)s AND c.clock = %(clock)s AND c.completed_at IS NOT NULL
        AND c.until <= %(time)s AND p.content IS NOT NULL
        AND p.side = '{side}' AND p.name = %({who})s
"""
PAYMENTS: Final = """
    SELECT '{side}', (extract(epoch FROM time) * 1000000)::bigint, amount, coalesce(label, -1),
        coalesce((extract(epoch FROM label_known_at) * 1000000)::bigint, 0), account
    FROM banks_transaction
    WHERE bank_id = %(bank)s AND {who} = %({who})s AND {who} <> ''
        AND time >= %({who}_since)s AND time < %(time)s
"""
CARRIED_PASTS, PAYMENTS_SINCE = (
    " UNION ALL ".join(query.format(side=side.value, who=who) for side, who in SIDES)
    for query in (CARRIED, PAYMENTS)
)


def features_of(
    transaction: models.Transaction, extra: tuple[str, ...] = ()
) -> Callable[[FeaturePlan], NDArray[np.float32]]:
    """For one transaction (in the bank's scope): a function from a plan to its features [F].

    The past is read once for all plans that share a clock. ``extra`` names the columns of the
    transaction's own extra values.
    """
    payment = _payment(transaction, extra)
    pasts: dict[str, Pasts] = {}

    def features(plan: FeaturePlan) -> NDArray[np.float32]:
        clock = clock_of(plan)
        if plan.kind == "behaviour" and clock not in pasts:
            pasts[clock] = _past(transaction, plan)
        return features_from_history(plan, payment, *pasts.get(clock, NOTHING))

    return features


def clock_of(plan: FeaturePlan) -> str:
    """The choices of a plan by which a past is added up; plans that share them share it."""
    names = ("amount_unit", "bucket_hours", "joint", "label_delay_days", "zone")
    chosen = {name: getattr(plan, name) for name in names}
    if plan.first_stage:
        chosen["first_stage"] = plan.first_stage[:16]
    return json.dumps(chosen, separators=(",", ":"))


def microseconds(time: datetime) -> int:
    """A time as the canonical frame counts it."""
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def _payment(transaction: models.Transaction, extra: tuple[str, ...]) -> Transaction:
    return Transaction(
        time=microseconds(transaction.time),
        amount=transaction.amount,
        account=transaction.account or None,
        counterparty=transaction.counterparty or None,
        extra=dict(zip(extra, transaction.extra or (), strict=False)),
    )


def _past(transaction: models.Transaction, plan: FeaturePlan) -> Pasts:
    wanted: dict[str, Any] = {
        "bank": transaction.bank_id,
        "clock": clock_of(plan),
        "account": transaction.account,
        "counterparty": transaction.counterparty,
        "time": transaction.time,
        "account_since": EVER,
        "counterparty_since": EVER,
    }
    account, counterparty = NOTHING
    with connection.cursor() as cursor:
        cursor.execute(CARRIED_PASTS + " ORDER BY until", wanted)
        for side, until, content in cursor.fetchall():
            if side == Side.ACCOUNT:
                account, wanted["account_since"] = AccountPast.from_bytes(content), until
            else:
                counterparty = CounterpartyPast.from_bytes(content)
                wanted["counterparty_since"] = until
        cursor.execute(PAYMENTS_SINCE, wanted)
        later: dict[str, list[Row]] = {Side.ACCOUNT: [], Side.COUNTERPARTY: []}
        for side, *row in cursor.fetchall():
            later[side].append(tuple(row))
    paid, seen = (
        Rows.of_one([row[:-1] for row in later[side]], plan)
        for side in (Side.ACCOUNT, Side.COUNTERPARTY)
    )
    if plan.first_stage:
        first = first_stages.kept(transaction.bank, plan.first_stage)
        now, payers = transaction.time, [row[-1] for row in later[Side.COUNTERPARTY]]
        paid = explaining.of_account(first, transaction.account, paid, account, now)
        seen = explaining.of_payers(first, transaction.bank_id, payers, seen, now)
    counterparty = counterparty.with_later(seen, plan)
    return account.with_later(paid), _with_others(counterparty, transaction, plan)


def _with_others(
    own: CounterpartyPast, transaction: models.Transaction, plan: FeaturePlan
) -> CounterpartyPast:
    if not (plan.joint and plan.uses_counterparties):
        return own
    heard = openings.heard(transaction.bank, plan)
    return CounterpartyPast.of(joint.with_others(heard, own.sums, transaction.counterparty))
