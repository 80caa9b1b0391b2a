"""The customer's own norm beside a reason: what this account usually does, as it was then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from banks.selectors.reasons import shown

DAYS: Final = {"1d": 1, "7d": 7, "30d": 30}
AGAINST_MEAN: Final = ("amount_to_mean", "amount_minus_mean", "amount_z")
LONG: Final = "30d"


def own_norm(feature: str, values: Mapping[str, float | None], currency: str) -> str:
    """One clause on what is usual for this customer; "" where nothing is known or fits."""
    stem, _separator, period = feature.rpartition("_")
    if feature in {"amount", "log_amount", "previous_amount"}:
        return _mean_and_most(values, LONG, currency)
    if stem in AGAINST_MEAN or stem == "amount_to_max":
        return _mean_and_most(values, period, currency)
    if stem == "account_count" and period in DAYS and period != LONG:
        return _pace(values.get(f"account_count_{LONG}"), DAYS[period])
    if feature == "hours_since_previous" and (count := values.get(f"account_count_{LONG}")):
        return _("this customer usually pays every %(time)s") % {
            "time": shown(DAYS[LONG] * 24 / count, "hours", currency)
        }
    return ""


def _mean_and_most(values: Mapping[str, float | None], period: str, currency: str) -> str:
    mean, most = values.get(f"account_mean_{period}"), values.get(f"account_max_{period}")
    if mean is None or mean <= 0:
        return ""
    if most is None:
        return _("this customer usually pays %(mean)s") % {"mean": shown(mean, "money", currency)}
    return _("this customer usually pays %(mean)s, at most %(most)s") % {
        "mean": shown(mean, "money", currency),
        "most": shown(most, "money", currency),
    }


def _pace(count: float | None, days: int) -> str:
    if count is None:
        return ""
    usual = count * days / DAYS[LONG]
    return _("this customer usually makes %(number)s") % {"number": f"{usual:.1f}"}
