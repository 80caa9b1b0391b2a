"""A history as plain named arrays, and back: no pickle, no code in the file."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from banks.ml.features import account as by_account
from banks.ml.features import counterparty as by_counterparty
from banks.ml.features.events import Events
from banks.ml.features.history import History
from banks.ml.features.plan import FeaturePlan
from banks.ml.features.sums import LABELS, VOLUME, BucketSums, Cells


def to_arrays(history: History) -> dict[str, NDArray[Any]]:
    """Return everything the history holds."""
    arrays: dict[str, NDArray[Any]] = {}
    if history.accounts is not None:
        mine = history.accounts
        arrays |= {
            "payment_account": mine.payments.group,
            "payment_time": mine.payments.at,
            "payment_amount": mine.amount,
            "payment_risk": mine.risk,
            "fraud_account": mine.frauds.group,
            "fraud_known_at": mine.frauds.at,
            "earlier_count": mine.earlier.count,
            "earlier_total": mine.earlier.total,
        }
    if history.counterparties is not None:
        theirs = history.counterparties
        for kind, cells in (("volume", theirs.sums.volume), ("label", theirs.sums.labels)):
            arrays |= {f"{kind}_of": cells.counterparty, f"{kind}_bucket": cells.bucket}
            arrays |= {f"{kind}_{name}": values for name, values in cells.sums.items()}
        arrays |= {f"earlier_{name}": vars(theirs.earlier)[name] for name in LABELS}
    return arrays


def from_arrays(
    plan: FeaturePlan, arrays: dict[str, NDArray[Any]], accounts: int, counterparties: int
) -> History:
    """Return the history that ``to_arrays`` took apart; KeyError where an array is missing."""
    mine = theirs = None
    if plan.uses_accounts:
        mine = by_account.AccountHistory(
            Events(arrays["payment_account"], arrays["payment_time"], accounts),
            arrays["payment_amount"],
            arrays["payment_risk"],
            Events(arrays["fraud_account"], arrays["fraud_known_at"], accounts),
            by_account.Earlier(arrays["earlier_count"], arrays["earlier_total"]),
        )
    if plan.uses_counterparties:
        cells = (
            Cells(
                arrays[f"{kind}_of"],
                arrays[f"{kind}_bucket"],
                {name: arrays[f"{kind}_{name}"] for name in names},
            )
            for kind, names in (("volume", VOLUME), ("label", LABELS))
        )
        theirs = by_counterparty.CounterpartyHistory(
            BucketSums(counterparties, *cells),
            by_counterparty.Earlier(*(arrays[f"earlier_{name}"] for name in LABELS)),
        )
    return History(plan, mine, theirs)
