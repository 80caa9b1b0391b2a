"""Reasons as sentences in the reader's language: what is unusual, against what is typical here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from banks.ml.schema import EXTRA_PREFIX
from consortium.templatetags.figures import MINOR_DIGITS, duration, money

MINOR_PER_UNIT: Final = 100  # FeaturePlan.amount_unit

PERIODS: Final = {
    "1d": gettext_lazy("in 1 day"),
    "7d": gettext_lazy("in 7 days"),
    "14d": gettext_lazy("in 14 days"),
    "30d": gettext_lazy("in 30 days"),
    "all": gettext_lazy("ever"),
}
# feature, or its name without the period → (what it is, unit)
NAMES: Final[dict[str, tuple[str | Promise, str]]] = {
    "amount": (gettext_lazy("the amount"), "money"),
    "log_amount": (gettext_lazy("the size of the amount"), "log money"),
    "hour": (gettext_lazy("the hour of the day"), "hour"),
    "weekday": (gettext_lazy("the day of the week"), "weekday"),
    "account_count": (gettext_lazy("payments of this account"), "count"),
    "account_mean": (gettext_lazy("the account's mean amount"), "money"),
    "account_max": (gettext_lazy("the account's largest amount"), "money"),
    "account_std": (gettext_lazy("the spread of the account's amounts"), "money"),
    "hours_since_previous": (gettext_lazy("the time since the account's last payment"), "hours"),
    "previous_amount": (gettext_lazy("the account's previous amount"), "money"),
    "amount_to_mean": (gettext_lazy("the amount against the account's mean"), "times"),
    "amount_to_max": (gettext_lazy("the amount against the account's largest"), "times"),
    "amount_z": (gettext_lazy("the amount above the account's mean, in its spreads"), "number"),
    "amount_minus_mean": (gettext_lazy("the amount minus the account's mean"), "money"),
    "account_known_frauds": (gettext_lazy("known frauds of this account"), "count"),
    "days_since_account_fraud": (gettext_lazy("the time since the account's last fraud"), "days"),
    "account_risk": (gettext_lazy("the risk of the account's recent payments"), "number"),
    "account_risk_max": (gettext_lazy("the riskiest recent payment of the account"), "share"),
    "counterparty_count": (gettext_lazy("payments at this counterparty"), "count"),
    "counterparty_known": (gettext_lazy("labelled payments at this counterparty"), "count"),
    "counterparty_frauds": (gettext_lazy("known frauds at this counterparty"), "count"),
    "counterparty_fraud_rate": (gettext_lazy("the fraud rate at this counterparty"), "share"),
    "days_since_counterparty_fraud": (
        gettext_lazy("the time since the last fraud at this counterparty"),
        "days",
    ),
    "days_since_counterparty_genuine": (
        gettext_lazy("the time since the last genuine payment at this counterparty"),
        "days",
    ),
    "counterparty_run_age": (
        gettext_lazy("how long only frauds have been known at this counterparty"),
        "days",
    ),
    "counterparty_run_frauds": (
        gettext_lazy("frauds in a row at this counterparty"),
        "count",
    ),
    "counterparty_run_ended_age": (
        gettext_lazy("the time since the last run of frauds at this counterparty"),
        "days",
    ),
    "counterparty_log_amount": (
        gettext_lazy("the usual size of amounts at this counterparty"),
        "log money",
    ),
    "log_amount_minus_counterparty": (
        gettext_lazy("the amount against what is usual at this counterparty"),
        "log ratio",
    ),
    "counterparty_unexplained": (
        gettext_lazy("frauds at this counterparty that the accounts do not explain"),
        "number",
    ),
    "days_since_counterparty_unexplained": (
        gettext_lazy("the time since the last unexplained fraud at this counterparty"),
        "days",
    ),
    "counterparty_run_unexplained": (
        gettext_lazy("unexplained frauds in a row at this counterparty"),
        "number",
    ),
    "counterparty_run_age_bound": (
        gettext_lazy("the time since the last genuine payment before a run of frauds"),
        "days",
    ),
    "counterparty_unexplained_rate": (
        gettext_lazy("the rate of unexplained frauds at this counterparty"),
        "share",
    ),
}
WEEKDAYS: Final = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)


@dataclass(frozen=True)
class Sentence:
    """A reason as people read it; ``suspicious`` is whether it raised the score."""

    text: str
    suspicious: bool
    share: float
    norm: str = ""  # what is usual for this customer


def sentences(
    reasons: Iterable[dict[str, Any]],
    currency: str,
    values: Mapping[str, float | None] | None = None,
) -> list[Sentence]:
    """An alert's stored reasons, strongest first.

    With all feature ``values`` of that moment each also says what is usual for this customer.
    """
    from banks.selectors.norms import own_norm

    return [
        Sentence(
            text=_sentence(reason, currency),
            suspicious=reason["contribution"] > 0,
            share=reason["contribution"],
            norm=own_norm(reason["feature"], values, currency) if values else "",
        )
        for reason in reasons
    ]


def name_of(feature: str) -> str:
    """What a feature is called."""
    if feature.startswith(EXTRA_PREFIX):
        return feature.removeprefix(EXTRA_PREFIX)
    if feature in NAMES:
        return str(NAMES[feature][0])
    stem, _separator, period = feature.rpartition("_")
    if stem in NAMES and period in PERIODS:
        return _("%(what)s %(period)s") % {"what": NAMES[stem][0], "period": PERIODS[period]}
    return feature


def _sentence(reason: dict[str, Any], currency: str) -> str:
    feature, unit = reason["feature"], unit_of(reason["feature"])
    what = capfirst(name_of(feature))
    value = shown(reason["value"], unit, currency)
    if reason["value"] is None:
        return _("%(what)s: none known here.") % {"what": what}
    if reason["typical"] is None:
        return _("%(what)s: %(value)s.") % {"what": what, "value": value}
    return _("%(what)s: %(value)s; typical here is %(typical)s.") % {
        "what": what,
        "value": value,
        "typical": shown(reason["typical"], unit, currency),
    }


def unit_of(feature: str) -> str:
    """What a feature is counted in."""
    found = NAMES.get(feature) or NAMES.get(feature.rpartition("_")[0])
    return found[1] if found else "number"


def shown(value: float | None, unit: str, currency: str) -> str:
    if value is None:
        return "–"
    if unit == "log money":
        value, unit = _exp(value), "money"
    elif unit == "log ratio":
        value, unit = _exp(value, less=0.0), "times"
    if unit == "money":
        return _money(value, currency)
    if unit == "times":
        return _("%(number)s times") % {"number": _number(value)}
    if unit == "share":
        return f"{value * 100:.1f}%"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "hour":
        return f"{int(value) % 24:02d}:{int(value % 1 * 60):02d}"
    if unit == "weekday":
        return str(WEEKDAYS[int(value) % 7])
    if unit == "hours" and value < 48:
        return str(duration(value * 3600))
    if unit in {"hours", "days"}:
        days = round(value / 24 if unit == "hours" else value)
        return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    return _number(value)


def _exp(value: float, less: float = 1.0) -> float:
    from math import copysign, exp

    return copysign(exp(abs(value)) - less, value) if less else exp(value)


def _money(value: float, currency: str) -> str:
    rounded = round(value * MINOR_PER_UNIT)
    digits = 10 ** MINOR_DIGITS.get(currency, 2)
    whole = rounded if abs(rounded) < 100 * digits else round(rounded / digits) * digits
    return str(money(whole, currency))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
