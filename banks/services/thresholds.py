"""Where a version begins to raise alerts: chosen on validation first, by people afterwards
(``threshold_changes``)."""

from __future__ import annotations

import math
from typing import Final

from banks.ml.encoding import IntArray
from banks.ml.ranking import sigmoid
from banks.ml.thresholds import for_best_f1, for_reviews
from banks.models import BankSettings, ModelVersion, Threshold

NOTHING_ALERTS = 1.0
# What ``threshold_of`` asks, for another query; no row where nothing alerts.
NEWEST: Final = """
    SELECT value FROM banks_threshold WHERE version_id = {version}
    ORDER BY created_at DESC, id DESC LIMIT 1
"""


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


def threshold_of(version: ModelVersion) -> float:
    """The probability from which the version alerts now."""
    newest = Threshold.objects.filter(version=version).order_by("-created_at", "-pk").first()
    return newest.value if newest else NOTHING_ALERTS
