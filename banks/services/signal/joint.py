"""The joint view of counterparties: the bank's own payments, and what others were heard to know.

Where nothing was told, the own view stands: the same plan, the same features, the same model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from banks.ml.features.sums import BucketSums
from banks.ml.risk_signal import others_of
from banks.ml.risk_signal.tokens import slots_of
from banks.services.signal import openings
from consortium.accounts.tenancy import bank_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from banks.ml.features import FeaturePlan, Signal
    from banks.services.signal.openings import Heard
    from consortium.accounts.models import Bank


def signal_for(bank: Bank, frame: pl.DataFrame, plan: FeaturePlan) -> Signal | None:
    """What features of this frame are built from; None where the plan's is the own view."""
    if not (plan.joint and plan.uses_counterparties):
        return None
    with bank_scope(bank.pk):
        heard = openings.heard(bank, plan)
    return beside(heard, frame, plan) if heard else None


def beside(heard: Sequence[Heard], frame: pl.DataFrame, plan: FeaturePlan) -> Signal:
    """A bank's own sums and what others were heard to know, under its counterparties."""
    from banks.ml.features import Signal

    own = Signal.of_frame(frame, plan)
    others = others_heard(heard, own.sums, own.counterparties.names)
    return Signal(own.counterparties, BucketSums.total([own.sums, others]))


def others_heard(heard: Sequence[Heard], own: BucketSums, names: Sequence[str]) -> BucketSums:
    """What others know of the counterparties that the own sums number like ``names``."""
    slots = [slots_of(part.token_key, names, part.terms.slots) for part in heard]
    return others_of([part.told for part in heard], own, slots)


def with_others(heard: Sequence[Heard], own: BucketSums, counterparty: str) -> BucketSums:
    """The sums of one counterparty, number 0 of ``own``, with what others know of it."""
    if not heard or not counterparty:
        return own
    return BucketSums.total([own, others_heard(heard, own, [counterparty])])
