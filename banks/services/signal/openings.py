"""What the members' sums have told this bank: kept as opened, read once for each process."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from banks import keys
from banks.ml.risk_signal import OpenedSums, Span, Terms, Told
from banks.models import SignalOpening
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from banks.ml.features.plan import FeaturePlan
    from consortium.accounts.models import Bank


@dataclass(frozen=True, eq=False)
class Heard:
    """What was told under one agreement, and the key that its counterparties are hidden under."""

    told: Told
    token_key: bytes

    @property
    def terms(self) -> Terms:
        return self.told.terms


def heard(bank: Bank, plan: FeaturePlan) -> list[Heard]:
    """All that was told in buckets like the plan's; needs the bank's scope.

    Unexplained frauds count only where the plan's own first stage made them.
    """
    rows = SignalOpening.objects.filter(bank=bank).order_by("first_day")
    numbers = tuple(rows.values_list("pk", flat=True))
    return [
        Heard(part.told.under(plan.first_stage), part.token_key)
        for part in _heard(bank.pk, bank.slug, numbers)
        if part.terms.fits(plan)
    ]


def version(bank: Bank) -> str:
    """Changes whenever further sums were told; needs the bank's scope."""
    known = SignalOpening.objects.filter(bank=bank).order_by("pk").values_list("pk", flat=True)
    return hashlib.sha256(str(list(known)).encode()).hexdigest()[:24]


def newest(bank: Bank) -> SignalOpening | None:
    """The sums that reach furthest, without their content; needs the bank's scope."""
    return SignalOpening.objects.filter(bank=bank).defer("content").order_by("-end_day").first()


def sums_of(opening: SignalOpening) -> OpenedSums:
    """Its sums; Refused when the stored bytes are not those that were opened."""
    content = bytes(opening.content)
    if hashlib.sha256(content).hexdigest() != opening.content_sha256:
        raise Refused(
            "signal_changed",
            gettext_noop("Stored sums of the signal are not those that were opened; stop."),
        )
    terms = Terms.from_json(opening.terms)
    return OpenedSums.from_bytes(
        terms, Span.of_days(opening.first_day, opening.end_day, terms), content
    )


@lru_cache(maxsize=16)
def _heard(bank_id: uuid.UUID, slug: str, numbers: Sequence[int]) -> list[Heard]:
    rows = SignalOpening.objects.filter(bank_id=bank_id, pk__in=numbers)

    def agreement(row: SignalOpening) -> tuple[str, str]:
        return row.terms_hash, row.token_key

    return [
        Heard(Told.joined([sums_of(row).told for row in alike]), keys.token_key(slug, key))
        for (_terms, key), alike in groupby(sorted(rows, key=agreement), agreement)
    ]
