"""What a first stage says of payments that no carrying has scored yet.

Only what a feature can still reach is worked out: an account's risk of the last days, and frauds
at a counterparty that are known by now. Each score needs the past of the account that paid.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from django.db import connection

from banks.ml.features.account import LONGEST_RISK
from banks.ml.features.rows import NOBODY, Rows
from banks.ml.features.single import AccountPast

if TYPE_CHECKING:
    from banks.ml.features.plan import FeaturePlan
    from banks.ml.first_stage import FirstStage

PAID: Final = """
    SELECT account, (extract(epoch FROM time) * 1000000)::bigint, amount, coalesce(label, -1),
        coalesce((extract(epoch FROM label_known_at) * 1000000)::bigint, 0)
    FROM banks_transaction
    WHERE bank_id = %s AND account = ANY(%s) AND account <> '' AND time < %s
"""


def of_account(
    first: FirstStage, account: str, rows: Rows, past: AccountPast, now: datetime
) -> Rows:
    """An account's payments since its ``past``, with their risk as far as it is seen at ``now``."""
    seen = np.flatnonzero(rows.time >= _microseconds(now) - LONGEST_RISK)
    if not len(seen):
        return rows
    risk = rows.risk.copy()
    risk[seen] = first.risk_of(account, rows.taken(seen), past.with_later(rows))
    return replace(rows, risk=risk)


def of_payers(
    first: FirstStage, bank_id: uuid.UUID, payers: Sequence[str], rows: Rows, now: datetime
) -> Rows:
    """Payments at a counterparty by these accounts, with the risk of frauds known at ``now``."""
    known = np.flatnonzero((rows.label == 1) & (rows.known_at <= _microseconds(now)))
    if not len(known):
        return rows
    by_account: dict[str, list[int]] = {}
    for place in known.tolist():
        by_account.setdefault(payers[place], []).append(place)
    pasts = _pasts(bank_id, list(by_account), now, first.plan)
    risk = rows.risk.copy()
    for account, places in by_account.items():
        paid = rows.taken(np.array(places))
        if not account:
            paid = replace(paid, account=np.full(len(paid), NOBODY))
        risk[places] = first.risk_of(account, paid, pasts.get(account, AccountPast()))
    return replace(rows, risk=risk)


def _microseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def _pasts(
    bank_id: uuid.UUID, accounts: list[str], before: datetime, plan: FeaturePlan
) -> dict[str, AccountPast]:
    with connection.cursor() as cursor:
        cursor.execute(PAID, [bank_id, accounts, before])
        found: dict[str, list[tuple[int, ...]]] = {}
        for account, *numbers in cursor.fetchall():
            found.setdefault(account, []).append(tuple(numbers))
    return {
        account: AccountPast().with_later(Rows.of_one(numbers, plan))
        for account, numbers in found.items()
    }
