"""Banks that have added up their counterparties, without the rounds between."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

import numpy as np
import polars as pl

from banks import keys
from banks.ml.features import FeaturePlan, Signal
from banks.ml.risk_signal import OpenedSums, Span, Terms
from banks.ml.risk_signal.presence import Directory, presence_vector
from banks.ml.risk_signal.sums import sums_vector
from banks.ml.risk_signal.tokens import slots_of
from banks.models import SignalOpening
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope

KEY = b"t" * 32


def opened_sums(
    frames: Sequence[pl.DataFrame],
    plan: FeaturePlan,
    terms: Terms,
    span: Span,
    *,
    key: bytes = KEY,
) -> OpenedSums:
    """What the banks with these frames would open together."""
    own = [Signal.of_frame(frame, plan) for frame in frames]
    slots = [slots_of(key, signal.counterparties.names, terms.slots) for signal in own]
    pairs = list(zip(own, slots, strict=True))
    seen = [presence_vector(terms, span, signal.sums.volume, where) for signal, where in pairs]
    directory = Directory.from_presence(terms, span, np.sum(seen, axis=0))
    sent = [
        sums_vector(terms, directory, signal.sums, where, least_banks=3) for signal, where in pairs
    ]
    return OpenedSums.of(terms, directory, np.sum(sent, axis=0))


def tell(bank: Bank, sums: OpenedSums, *, task: uuid.UUID | None = None) -> SignalOpening:
    """Let the bank know these sums, as its node would after a run."""
    keys.make(bank.slug)
    span, content = sums.directory.span, sums.to_bytes()
    with bank_scope(bank.pk):
        return SignalOpening.objects.create(
            bank=bank,
            task=task or uuid.uuid4(),
            run=uuid.uuid4(),
            round=uuid.uuid4(),
            first_day=span.first_day,
            end_day=span.end_day,
            terms=sums.terms.to_json(),
            terms_hash="0" * 64,
            token_key=keys.save_token_key(bank.slug, KEY),
            banks=4,
            counterparties=len(sums.directory),
            cells=len(sums.cells),
            content=content,
            content_sha256=hashlib.sha256(content).hexdigest(),
        )
