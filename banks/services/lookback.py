"""One transaction's features from the rows it looks back on: its account's and its counterparty's.

Sums are exact integers and belong to one account or counterparty, so these few rows give the same
bits as the whole table would. Only numpy: this runs in the web process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection

from banks.ml.features.history import History
from banks.ml.features.payment import payment_features
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.rows import NOBODY, Rows, signed_log
from banks.ml.features.sums import BucketSums
from banks.ml.schema import DAY, EXTRA_PREFIX
from banks.services.signal import joint, openings
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from banks.models import Transaction
    from banks.services.signal.openings import Heard

# time, amount, is this account, is this counterparty, label or −1, known at or 0
Row = tuple[int, int, bool, bool, int, int]

QUERY = """
    SELECT (extract(epoch FROM time) * 1000000)::bigint, amount,
           account = %(account)s, counterparty = %(counterparty)s, coalesce(label, -1),
           coalesce((extract(epoch FROM label_known_at) * 1000000)::bigint, 0)
    FROM banks_transaction
    WHERE bank_id = %(bank)s AND time < %(time)s
"""
LOOKS_BACK_ON = (
    QUERY
    + " AND account = %(account)s AND account <> '' UNION ALL "
    + QUERY
    + " AND counterparty = %(counterparty)s AND counterparty <> '' AND account <> %(account)s"
)


def features_of(
    transaction: Transaction, extra: tuple[str, ...] = ()
) -> Callable[[FeaturePlan], NDArray[np.float32]]:
    """For one transaction (in the bank's scope): a function from a plan to its features [F].

    The rows are read once, whatever the number of plans. ``extra`` names the columns of the
    transaction's own extra values.
    """
    past: list[Row] = []

    def features(plan: FeaturePlan) -> NDArray[np.float32]:
        if not past and plan.kind == "behaviour":
            past.extend(_past(transaction))
        heard = openings.heard(transaction.bank, plan) if plan.joint else []
        return one_row(transaction, past, plan, extra, heard)

    return features


def one_row(
    transaction: Transaction,
    past: list[Row],
    plan: FeaturePlan,
    extra: tuple[str, ...] = (),
    heard: Sequence[Heard] = (),
) -> NDArray[np.float32]:
    """The features [F] of a transaction, given the rows it looks back on. No database.

    ``heard`` is what other banks were heard to know, for plans with the joint view.
    """
    if plan.first_stage:
        raise Refused(
            "first_stage",
            gettext_noop("Models with first-stage features score imported files only."),
        )
    now = microseconds(transaction)
    this = _rows([(now, transaction.amount, True, True, -1, 0)], plan, transaction)
    columns: Mapping[str, NDArray[Any]] = (
        payment_features(this.time, this.amount, this.log_amount, plan)
        if plan.kind == "ready"
        else _history(_rows(past, plan, transaction), plan, heard, transaction).features(this)
    )
    own = dict(zip(extra, transaction.extra or (), strict=False))
    return np.array(
        [
            own.get(name.removeprefix(EXTRA_PREFIX), np.nan)
            if name.startswith(EXTRA_PREFIX)
            else columns[name][0]
            for name in feature_names(plan)
        ],
        dtype=np.float32,
    )


def microseconds(transaction: Transaction) -> int:
    """Its time as the canonical frame counts it."""
    at = transaction.time
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _history(
    rows: Rows, plan: FeaturePlan, heard: Sequence[Heard], transaction: Transaction
) -> History:
    sums = None
    if plan.uses_counterparties:
        own = BucketSums.of(rows, 1, plan)
        sums = joint.with_others(heard, own, transaction.counterparty)
    return History.of(rows, plan, 1, sums)


def _past(transaction: Transaction) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            LOOKS_BACK_ON,
            {
                "bank": transaction.bank_id,
                "account": transaction.account,
                "counterparty": transaction.counterparty,
                "time": transaction.time,
            },
        )
        found: list[Row] = cursor.fetchall()
    return found


def _rows(found: list[Row], plan: FeaturePlan, transaction: Transaction) -> Rows:
    table = np.array(found, dtype=np.int64).reshape(-1, 6)
    time, amount, same_account, same_counterparty, label, known_at = table.T
    account = np.where(same_account & bool(transaction.account), 0, NOBODY)
    counterparty = np.where(same_counterparty & bool(transaction.counterparty), 0, NOBODY)
    return Rows(
        time=time,
        amount=amount,
        account=account,
        counterparty=counterparty,
        label=label.astype(np.int8),
        known_at=np.maximum(time + plan.label_delay_days * DAY, known_at),
        risk=np.zeros(len(table), dtype=np.int64),
        log_amount=signed_log(amount / plan.amount_unit),
    )
