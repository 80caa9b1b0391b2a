"""What is computed: the choices a set of features depends on, and the names that follow."""

from __future__ import annotations

from collections.abc import Mapping as JsonObject
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from banks.ml.schema import EXTRA_PREFIX, Kind, Mapping
from consortium.protocol.errors import Refused, gettext_noop

NEW: Final = "new"
PAYMENT: Final[tuple[str, ...]] = ("amount", "log_amount", "hour", "weekday")
READY: Final[tuple[str, ...]] = ("amount", "log_amount", "hour")
ACCOUNT: Final = (
    "account_count_1d",
    "account_count_7d",
    "account_count_30d",
    "account_mean_1d",
    "account_mean_7d",
    "account_mean_30d",
    "account_max_7d",
    "hours_since_previous",
    "previous_amount",
    "account_mean_all",
    "account_std_30d",
    "amount_to_mean_30d",
    "amount_to_mean_7d",
    "amount_to_mean_all",
    "amount_z_30d",
    "amount_minus_mean_30d",
    "amount_to_max_7d",
    "account_known_frauds_7d",
    "account_known_frauds_30d",
    "days_since_account_fraud",
)
ACCOUNT_RISK: Final = (
    "account_risk_1d",
    "account_risk_7d",
    "account_risk_14d",
    "account_risk_max_14d",
)
COUNTERPARTY: Final = (
    "counterparty_count_1d",
    "counterparty_count_7d",
    "counterparty_count_30d",
    "counterparty_known_1d",
    "counterparty_known_7d",
    "counterparty_known_30d",
    "counterparty_known_all",
    "counterparty_frauds_1d",
    "counterparty_frauds_7d",
    "counterparty_frauds_30d",
    "counterparty_fraud_rate_1d",
    "counterparty_fraud_rate_7d",
    "counterparty_fraud_rate_30d",
    "counterparty_fraud_rate_all",
    "days_since_counterparty_fraud",
    "days_since_counterparty_genuine",
    "counterparty_run_age",
    "counterparty_run_frauds",
    "counterparty_run_ended_age",
    "counterparty_log_amount_30d",
    "log_amount_minus_counterparty_30d",
)
COUNTERPARTY_UNEXPLAINED: Final = (
    "counterparty_unexplained_7d",
    "counterparty_unexplained_30d",
    "days_since_counterparty_unexplained",
    "counterparty_run_unexplained",
    "counterparty_run_age_bound",
    "counterparty_unexplained_rate_30d",
    "counterparty_unexplained_rate_all",
)
OF_THE_WHOLE_PAST: Final = frozenset(
    {
        "account_mean_all",
        "counterparty_known_all",
        "counterparty_fraud_rate_all",
        "counterparty_unexplained_rate_all",
    }
)
"""Features that grow or settle with every day of history, even where nothing changes."""


@dataclass(frozen=True, kw_only=True)
class FeaturePlan:
    """The choices behind a set of features; part of a model version.

    ``label_delay_days``: a label counts from this long after its payment, or from
    ``label_known_at`` if that is later. ``bucket_hours``: width of the counterparty's buckets,
    on the wall clock of ``zone``; a bucket counts when it is complete. ``accounts`` and
    ``counterparties`` leave those groups out where the data have none. ``first_stage`` adds the
    features that need the column of that name (probability of fraud from payment and account
    alone, out of sample): it is the version that scores, or NEW where it is still to be
    learned. ``fraud_prior`` is the fraud rate that thin counterparties are drawn to: take it
    from the training rows. ``amount_unit`` is the number of minor units in one unit of the
    amount features. ``joint`` counts what other banks know about a counterparty, wherever the
    members' sums have been opened; elsewhere, and without it, the bank's own payments count.
    """

    kind: Kind = "behaviour"
    label_delay_days: int = 7
    bucket_hours: int = 24
    zone: str = "UTC"
    extra: tuple[str, ...] = ()
    accounts: bool = True
    counterparties: bool = True
    first_stage: str = ""
    fraud_prior: float = 0.005
    amount_unit: int = 100
    joint: bool = False

    def __post_init__(self) -> None:
        if self.label_delay_days < 0:
            raise Refused(
                "plan",
                gettext_noop("The label delay must be 0 days or more."),
                field="label_delay_days",
            )
        # Whole hours of a day: a bucket is then one stretch of time even when clocks go back.
        if self.bucket_hours < 1 or 24 % self.bucket_hours:
            raise Refused(
                "plan",
                gettext_noop("The bucket must be 1, 2, 3, 4, 6, 8, 12 or 24 hours."),
                field="bucket_hours",
            )

    @classmethod
    def for_mapping(cls, mapping: Mapping, **choices: Any) -> FeaturePlan:
        """Return the plan for data of this mapping; ``choices`` sets the other fields."""
        behaviour = mapping.kind == "behaviour"
        defaults: dict[str, Any] = {
            "kind": mapping.kind,
            "zone": mapping.zone,
            "extra": mapping.extra,
            "accounts": behaviour and "account" in mapping.columns,
            "counterparties": behaviour and "counterparty" in mapping.columns,
        }
        return cls(**(defaults | choices))

    @classmethod
    def from_json(cls, body: JsonObject[str, Any]) -> FeaturePlan:
        """Read back what ``to_json`` returned."""
        try:
            read = {"extra": tuple(body["extra"]), "first_stage": body["first_stage"] or ""}
            return cls(**(dict(body) | read))
        except (TypeError, KeyError) as error:
            raise Refused(
                "plan", gettext_noop("The feature plan is not complete: %(why)s"), why=str(error)
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self) | {"extra": list(self.extra)}

    @property
    def uses_accounts(self) -> bool:
        return self.kind == "behaviour" and self.accounts

    @property
    def uses_counterparties(self) -> bool:
        return self.kind == "behaviour" and self.counterparties

    @property
    def can_explain(self) -> bool:
        """Whether the data have what a first stage needs and what it is for."""
        return self.uses_accounts and self.uses_counterparties

    @property
    def buckets_a_day(self) -> int:
        return 24 // self.bucket_hours


@lru_cache(maxsize=128)
def feature_names(plan: FeaturePlan) -> tuple[str, ...]:
    """Return the names of a plan's features, in the order every matrix of them has."""
    names = PAYMENT if plan.kind == "behaviour" else READY
    if plan.uses_accounts:
        names += ACCOUNT + (ACCOUNT_RISK if plan.first_stage else ())
    if plan.uses_counterparties:
        names += COUNTERPARTY + (COUNTERPARTY_UNEXPLAINED if plan.first_stage else ())
    return names + tuple(EXTRA_PREFIX + name for name in plan.extra)
