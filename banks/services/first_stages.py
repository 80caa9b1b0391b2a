"""First stages at a bank: kept under their hash, and the scores that they give its payments.

A first stage comes out of a training, alone or with the consortium; model versions, and the
signal's terms, name the one that their features of unexplained frauds were made with.
"""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from banks.ml.features.rows import FIRST_STAGE, RISK_UNIT
from banks.ml.first_stage import FirstStage, half_of
from banks.models import KeptFirstStage
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from banks.ml.features import FeaturePlan


def keep(bank: Bank, first: FirstStage) -> str:
    """Store it, once; returns its hash."""
    content = first.to_bytes()
    with bank_scope(bank.pk):
        KeptFirstStage.objects.get_or_create(
            bank=bank, sha256=first.version, defaults={"content": content}
        )
    return first.version


def kept(bank: Bank, sha256: str) -> FirstStage:
    """The one with this hash; Refused where this bank has not derived it. Needs no scope."""
    return _kept(bank.pk, sha256)


@lru_cache(maxsize=16)
def _kept(bank_id: uuid.UUID, sha256: str) -> FirstStage:
    with bank_scope(bank_id):
        row = KeptFirstStage.objects.filter(bank_id=bank_id, sha256=sha256).first()
    if row is None:
        raise Refused(
            "first_stage_missing",
            gettext_noop(
                "This bank does not have the first stage %(hash)s, by which known frauds are "
                "explained. It comes with the training run that learned it."
            ),
            hash=sha256[:12],
        )
    content = bytes(row.content)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Refused(
            "artifact_changed",
            gettext_noop("The stored model is not the one that was made; it is not used."),
        )
    return FirstStage.from_bytes(content)


def scored(bank: Bank, frame: pl.DataFrame, plan: FeaturePlan) -> pl.DataFrame:
    """The canonical frame with the scores that features of this plan need."""
    import polars as pl

    from banks.ml.features import build_features

    if not plan.first_stage:
        return frame
    first = kept(bank, plan.first_stage)
    X = build_features(frame, first.plan).select(first.features).to_numpy()
    risk = first.risk(X, _halves(frame["account"]))
    return frame.with_columns(pl.Series(FIRST_STAGE, risk / RISK_UNIT))


def _halves(accounts: pl.Series) -> NDArray[np.intp]:
    """The half of each row's account, worked out once for each account."""
    import polars as pl

    named = accounts.fill_null("")
    names = named.unique().sort()
    place = named.cast(pl.Enum(names)).to_physical().to_numpy()
    halves: NDArray[np.intp] = half_of(names.to_numpy().astype(np.str_))[place]
    return halves
