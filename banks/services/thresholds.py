"""Where a version begins to raise alerts: chosen on validation first, then by people, with why."""

from __future__ import annotations

import math
import uuid

from django.db import transaction

from banks.ml.encoding import IntArray
from banks.ml.ranking import sigmoid
from banks.ml.thresholds import for_best_f1, for_reviews
from banks.models import BankSettings, ModelVersion, Threshold
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused, gettext_noop

NOTHING_ALERTS = 1.0


def initial_threshold(version: ModelVersion, histogram: IntArray, *, days: float) -> Threshold:
    """The best F1 on validation, but never more alerts than the bank can review; unsaved."""
    own = BankSettings.objects.filter(bank_id=version.bank_id).first() or BankSettings()
    best, capacity = for_best_f1(histogram), for_reviews(histogram, days, own.reviews_a_day)
    if math.isinf(best):
        value, method = capacity, Threshold.Method.CAPACITY
    elif best >= capacity:
        value, method = best, Threshold.Method.BEST_F1
    else:
        value, method = capacity, Threshold.Method.CAPACITY
    return Threshold(
        bank_id=version.bank_id,
        version=version,
        value=NOTHING_ALERTS if math.isinf(value) else float(sigmoid(value)),
        method=method,
    )


@transaction.atomic
def set_threshold(
    *, bank: Bank, actor: Actor, version_id: uuid.UUID | str, value: float, reason: str
) -> Threshold:
    """Set a version's threshold; the former ones stay as its history."""
    reason = reason.strip()
    if not 0 < value <= 1:
        raise Refused(
            "threshold_range",
            gettext_noop("A threshold is a probability above 0 and up to 1."),
            field="value",
        )
    if not reason:
        raise Refused(
            "reason_required",
            gettext_noop("Say why the threshold changes; the next person will ask."),
            field="reason",
        )
    with bank_scope(bank.pk):
        version = ModelVersion.objects.filter(bank=bank, pk=version_id).first()
        if version is None:
            raise Refused("no_version", gettext_noop("There is no such model version."))
        threshold = Threshold.objects.create(
            bank=bank,
            version=version,
            value=value,
            method=Threshold.Method.PERSON,
            reason=reason[:200],
            set_by=actor.user,
        )
        audit.record(
            actor=actor,
            verb="threshold.set",
            target=version,
            bank=bank,
            value=value,
            reason=reason[:200],
        )
    return threshold


def threshold_of(version: ModelVersion) -> float:
    """The probability from which the version alerts now."""
    newest = Threshold.objects.filter(version=version).order_by("-created_at", "-pk").first()
    return newest.value if newest else NOTHING_ALERTS
