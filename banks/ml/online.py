"""Features as payments come in: a further day, or one transaction, equal to the batch bit by bit.

``State`` carries what a day needs instead of the whole history. A process that reads an account's
last rows from a database needs no state: ``features_from_history``.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from banks.ml.features.batch import as_table
from banks.ml.features.events import Events
from banks.ml.features.history import History
from banks.ml.features.plan import FeaturePlan
from banks.ml.features.rows import NOBODY, Names, Rows, names_in
from banks.ml.features.signal import Signal
from banks.ml.features.single import (
    AccountPast,
    CounterpartyPast,
    Transaction,
    features_from_history,
)
from banks.ml.features.storage import from_arrays, to_arrays
from banks.ml.features.sums import LABELS, VOLUME, BucketSums
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AccountPast", "CounterpartyPast", "State", "Transaction", "features_from_history"]


class State:
    """What a bank must remember to go on; a further day costs a day, not a history."""

    def __init__(
        self, history: History, accounts: Names, counterparties: Names, horizon: int, joint: bool
    ) -> None:
        self.plan = history.plan
        self._history = history
        self._accounts, self._counterparties = accounts, counterparties
        self._horizon = horizon
        self._joint = joint
        self._seen: dict[str, list[tuple[int, int, int]]] = {}

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, plan: FeaturePlan, signal: Signal | None = None
    ) -> State:
        """Build from a bank's past; ``signal`` as in ``build_features``.

        Answers for payments from the last one of ``frame`` on.
        """
        nothing = Rows.none()
        empty = History.of(nothing, plan, 0, BucketSums.of(nothing, 0, plan))
        state = cls(empty, Names(), Names(), 0, signal is not None)
        rows = state._absorb(frame, signal)
        state._fold(int(rows.time.max(initial=0)))
        return state

    def advance(
        self,
        frame: pl.DataFrame,
        *,
        signal: Signal | None = None,
        learned: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """Take in further payments and return their features, as the batch would give them.

        Labels in ``frame`` count from their time; ``learned`` are payments taken in before whose
        label was unknown then. ``signal`` is needed where the state was built with one, and holds
        only what was opened since. Refuses payments before those of the last call.
        """
        rows = self._absorb(frame, signal, learned)
        return as_table(frame, self._history.features(rows), self.plan)

    def observe(self, transaction: Transaction, risk: int = 0) -> None:
        """Remember a payment of the current day until ``advance`` brings it with the others."""
        if transaction.account is not None:
            self._seen.setdefault(transaction.account, []).append(
                (transaction.time, transaction.amount, risk)
            )

    def features_for(self, transaction: Transaction) -> NDArray[np.float32]:
        """Return one transaction's features, float32[F]."""
        return features_from_history(
            self.plan,
            transaction,
            self.account_past(transaction.account),
            self.counterparty_past(transaction.counterparty),
        )

    def account_past(self, name: str | None) -> AccountPast:
        """Return what is held of an account, with what was observed today."""
        code = self._accounts.code(name)
        history = self._history.accounts
        if history is None or code == NOBODY:
            return AccountPast()
        mine, frauds = _slice(history.payments, code), _slice(history.frauds, code)
        seen = np.array(self._seen.get(name or "", []), np.int64).reshape(-1, 3)
        return AccountPast(
            time=np.concatenate([history.payments.at[mine], seen[:, 0]]),
            amount=np.concatenate([history.amount[mine], seen[:, 1]]),
            risk=np.concatenate([history.risk[mine], seen[:, 2]]),
            fraud_known_at=history.frauds.at[frauds],
            earlier_count=int(history.earlier.count[code]),
            earlier_total=int(history.earlier.total[code]),
        )

    def counterparty_past(self, name: str | None) -> CounterpartyPast:
        """Return what is held of a counterparty."""
        code = self._counterparties.code(name)
        history = self._history.counterparties
        if history is None or code == NOBODY:
            return CounterpartyPast()
        volume, labels = _slice(history.volume, code), _slice(history.labels, code)
        earlier = history.earlier
        return CounterpartyPast(
            volume_bucket=history.volume.at[volume],
            volume={name: history.sums.volume[name][volume] for name in VOLUME},
            label_bucket=history.labels.at[labels],
            labels={name: history.sums.labels[name][labels] for name in LABELS},
            earlier=(
                int(earlier.known[code]),
                int(earlier.frauds[code]),
                int(earlier.unexplained[code]),
            ),
        )

    def _absorb(
        self, frame: pl.DataFrame, signal: Signal | None, learned: pl.DataFrame | None = None
    ) -> Rows:
        if (signal is not None) != self._joint:
            raise Refused(
                "state", gettext_noop("This state needs the same kind of signal every day.")
            )
        self._accounts.add(names_in(frame["account"]).names)
        self._counterparties.add(
            signal.counterparties.names if signal else names_in(frame["counterparty"]).names
        )
        rows = Rows.of_frame(frame, self.plan, self._accounts, self._counterparties)
        labels = rows
        if learned is not None:
            more = Rows.of_frame(learned, self.plan, self._accounts, self._counterparties)
            labels = Rows.joined([rows, more])
        now = self._checked(rows, labels)
        sums = (
            BucketSums.of(rows, len(self._counterparties), self.plan, labels)
            if signal is None
            else signal.under(self._counterparties)
        )
        self._history = self._history.extended(rows, labels, len(self._accounts), sums, now)
        self._horizon = now
        self._forget_seen(int(rows.time.max(initial=now)))
        return rows

    def _checked(self, rows: Rows, labels: Rows) -> int:
        known = labels.known_at[labels.label >= 0]
        earliest = int(rows.time.min()) if len(rows) else self._horizon
        if earliest < self._horizon or known.min(initial=self._horizon) < self._horizon:
            raise Refused(
                "state",
                gettext_noop("These payments or labels lie before those already taken in."),
            )
        return earliest

    def _fold(self, now: int) -> None:
        """Keep only what payments from ``now`` on can reach."""
        nothing, accounts = Rows.none(), len(self._accounts)
        sums = BucketSums.of(nothing, len(self._counterparties), self.plan)
        self._history = self._history.extended(nothing, nothing, accounts, sums, now)
        self._horizon = now

    def _forget_seen(self, until: int) -> None:
        kept = {name: [row for row in rows if row[0] > until] for name, rows in self._seen.items()}
        self._seen = {name: rows for name, rows in kept.items() if rows}

    def save(self, file: IO[bytes]) -> None:
        """Write the state as plain arrays; ``load`` reads it back."""
        header = {
            "version": 1,
            "plan": self.plan.to_json(),
            "accounts": self._accounts.names,
            "counterparties": self._counterparties.names,
            "horizon": self._horizon,
            "joint": self._joint,
            "seen": self._seen,
        }
        arrays: dict[str, Any] = to_arrays(self._history)
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, file: IO[bytes]) -> State:
        """Read a saved state; raises Refused for anything else."""
        try:
            with np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            header = json.loads(arrays.pop("header").tobytes())
            plan = FeaturePlan.from_json(header["plan"])
            accounts, counterparties = Names(header["accounts"]), Names(header["counterparties"])
            history = from_arrays(plan, arrays, len(accounts), len(counterparties))
            state = cls(history, accounts, counterparties, header["horizon"], header["joint"])
            state._seen = {
                name: [tuple(row) for row in rows] for name, rows in header["seen"].items()
            }
        except (OSError, EOFError, BadZipFile, ValueError, LookupError, TypeError) as error:
            raise Refused("state", gettext_noop("This file is no saved feature state.")) from error
        return state


def _slice(events: Events, group: int) -> slice:
    return slice(int(events.starts[group]), int(events.starts[group + 1]))
