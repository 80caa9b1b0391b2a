"""What a payment shows by itself."""

from __future__ import annotations

import numpy as np

from banks.ml.features.clock import local_time, weekday_of
from banks.ml.features.events import FloatArray, IntArray
from banks.ml.features.plan import FeaturePlan
from banks.ml.schema import DAY, HOUR


def payment_features(
    time: IntArray, amount: IntArray, log_amount: FloatArray, plan: FeaturePlan
) -> dict[str, FloatArray]:
    """Return amount and wall-clock features; ``hour`` is 0 to 24 with its fraction."""
    local = local_time(time, plan.zone)
    return {
        "amount": amount / plan.amount_unit,
        "log_amount": log_amount,
        "hour": local % DAY / HOUR,
        "weekday": weekday_of(local).astype(np.float64),
    }
