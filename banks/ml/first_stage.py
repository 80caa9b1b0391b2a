"""What a payment and its account alone say: the score that tells which frauds are *unexplained*.

A known fraud that the account's own behaviour explains says nothing about the counterparty; one
that it does not explain points there. So two small models on payment and account features score
all payments, each those of the accounts that it has not learned from: every score is out of sample
(cross-fitting, Chernozhukov et al. 2018).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml import container
from banks.ml.encoding import IntArray
from banks.ml.features.history import History
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.rows import Rows, fixed_point
from banks.ml.features.single import AccountPast
from banks.ml.models.logistic import Logistic, logistic_spec
from banks.ml.piecewise import PiecewiseLinear
from banks.ml.ranking import sigmoid
from banks.ml.sampling import row_keys, uniform
from consortium.protocol.errors import Refused, gettext_noop

MAGIC: Final = b"CONSFRST"
HALVES: Final = 2
SALT: Final = 0x5EED
CHOICES: Final = ("amount_unit", "label_delay_days", "zone")


def half_of(accounts: ArrayLike) -> NDArray[np.intp]:
    """In which half each account (text) is, intp[n]: by a hash, the same at every bank."""
    return (uniform(row_keys(accounts), SALT) >= 1 / HALVES).astype(np.intp)


def plan_below(plan: FeaturePlan) -> FeaturePlan:
    """What a first stage looks at: the payment and its account. No counterparty, no other bank."""
    return FeaturePlan(
        label_delay_days=plan.label_delay_days,
        zone=plan.zone,
        amount_unit=plan.amount_unit,
        counterparties=False,
    )


@dataclass(frozen=True, eq=False)
class FirstStage:
    """``halves``: the model learned from each half of the accounts; None where it held no fraud
    to learn from, and then nothing is explained in the other half.
    """

    plan: FeaturePlan
    halves: tuple[Logistic | None, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns of X, in order."""
        return feature_names(self.plan)

    def risk(self, X: ArrayLike, halves: NDArray[np.intp]) -> IntArray:
        """Out-of-sample probability of fraud in RISK_UNIT, int64[n].

        Each row by itself: the same bits for one payment as for a table of them.
        """
        matrix = np.asarray(X, dtype=np.float32)
        found = np.zeros(len(matrix), dtype=np.int64)
        for half, model in enumerate(self.halves):
            rows = halves != half
            if model is not None and rows.any():
                found[rows] = fixed_point(sigmoid(_by_curves(model, matrix[rows])))
        return found

    def risk_of(self, account: str, rows: Rows, past: AccountPast) -> IntArray:
        """The same for payments of one account, numbered 0; ``past`` may hold them too."""
        columns = History(self.plan, past.history, None).features(rows)
        X = np.column_stack([columns[name] for name in self.features])
        return self.risk(X, np.repeat(half_of([account]), len(rows)))

    def to_bytes(self) -> bytes:
        """The canonical file, whose SHA-256 is the first stage's version."""
        return self._bytes

    @property
    def version(self) -> str:
        return hashlib.sha256(self._bytes).hexdigest()

    @cached_property
    def _bytes(self) -> bytes:
        named: dict[str, NDArray[Any]] = {}
        for half, model in enumerate(self.halves):
            if model is not None:
                arrays = {**model.encoder.arrays(), **model.arrays()}
                named |= {f"half{half}.{name}": array for name, array in arrays.items()}
        chosen = self.plan.to_json()
        plan = {name: chosen[name] for name in CHOICES}
        learned = [model is not None for model in self.halves]
        return container.write(MAGIC, {"plan": plan, "learned": learned}, named)

    @classmethod
    def from_bytes(cls, content: bytes) -> FirstStage:
        """Parse a file; every deviation from the one valid encoding is Refused("artifact")."""
        try:
            header, arrays = container.read(MAGIC, content, {"plan", "learned"})
            plan = replace(FeaturePlan(counterparties=False), **header["plan"])
            halves = tuple(
                _half(plan, half, arrays) if learned else None
                for half, learned in enumerate(header["learned"])
            )
            first = cls(plan, halves)
        except (KeyError, TypeError, ValueError, OverflowError):
            container.refuse("its header is not complete")
        if first.to_bytes() != content:
            container.refuse("it is not in the canonical encoding")
        return first


def _half(plan: FeaturePlan, half: int, arrays: Mapping[str, NDArray[Any]]) -> Logistic:
    prefix = f"half{half}."
    own = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    encoder = PiecewiseLinear.from_arrays(own)
    return Logistic.from_arrays(logistic_spec(feature_names(plan), encoder), encoder, own)


def _by_curves(model: Logistic, X: NDArray[np.float32]) -> NDArray[np.float64]:
    if not isinstance(model.encoder, PiecewiseLinear):
        raise Refused("encoder", gettext_noop("The model's encoding is unknown."))
    return model.encoder.along_curves(X, model.weights[:-1]) + float(model.weights[-1])
