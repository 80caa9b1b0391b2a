"""What the members agreed to tell one another about counterparties, and under which guards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, NoReturn, get_args

from banks.ml.features.plan import FeaturePlan
from banks.ml.features.sums import LOG_UNIT, UNEXPLAINED_UNIT
from consortium.protocol.errors import Refused, gettext_noop

Policy = Literal["counts", "watch-list", "off"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)

LEAST_FLOOR: Final = 3
LARGEST_LOG: Final = 20 * LOG_UNIT  # of one payment: amounts above e^20 count as that
CAP_OF_SHORT_WORDS: Final = 256
MOST_SLOTS: Final = 1 << 22
MOST_DAYS: Final = 120  # of one sum
OF_PAYMENTS: Final = ("payments", "log_amount")
OF_LABELS: Final = ("known", "frauds", "unexplained")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The members' agreement about the signal; a change of any word is another agreement.

    ``policy``: ``counts`` sums payments, labels and frauds; ``watch-list`` only says in which
    bucket how many banks learned of a fraud; ``off`` sums nothing. ``slots``: a counterparty is
    one of this many numbers, by a keyed hash. ``floor``: how many banks must have dealt with a
    counterparty in the 30 days before anything of it is opened. ``cap``: the most that one bank's
    count in a bucket weighs. ``epsilon``: of each opened value, as a decimal; empty for no noise.
    ``history_days``: how far the first sum reaches back. ``first_stage``: the version of the model
    behind unexplained frauds; empty where the members have none. ``amount_unit`` is the number of
    minor units in one unit of an amount.
    """

    policy: Policy = "counts"
    slots: int = 1 << 17
    floor: int = 3
    cap: int = 250
    epsilon: str = ""
    bucket_hours: int = 24
    zone: str = "UTC"
    label_delay_days: int = 7
    history_days: int = 120
    first_stage: str = ""
    amount_unit: int = 100

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            _refuse("policy", gettext_noop("The policy is counts, watch-list or off."))
        if not 2 <= self.slots <= MOST_SLOTS or self.slots & (self.slots - 1):
            _refuse("slots", gettext_noop("The number of slots is a power of two up to 4,194,304."))
        if self.floor < LEAST_FLOOR:
            _refuse("floor", gettext_noop("A counterparty is opened from 3 banks on, not before."))
        if not 1 <= self.cap <= 1_000_000:
            _refuse("cap", gettext_noop("The cap on a bank's count is from 1 to 1,000,000."))
        if not 1 <= self.history_days <= MOST_DAYS:
            _refuse("history_days", gettext_noop("The first sum reaches back 1 to 120 days."))
        if self.noise is not None and not 0 < self.noise <= 100:
            _refuse("epsilon", gettext_noop("ε is above 0 and at most 100, or empty."))
        if not 1 <= self.amount_unit <= 10_000:
            _refuse("amount_unit", gettext_noop("A unit has 1 to 10,000 minor units."))
        FeaturePlan(bucket_hours=self.bucket_hours, label_delay_days=self.label_delay_days)

    @classmethod
    def from_json(cls, body: Any) -> Terms:
        """Strict inverse of ``to_json``; raises Refused."""
        names = {field.name for field in fields(cls)}
        if not isinstance(body, Mapping) or set(body) != names:
            raise Refused("signal_terms", gettext_noop("The terms of the signal are not complete."))
        for name, default in vars(cls()).items():
            if type(body[name]) is not type(default):
                _refuse(name, gettext_noop("The terms of the signal are not complete."))
        return cls(**body)

    def to_json(self) -> dict[str, Any]:
        """Float-free, for a manifest."""
        return asdict(self)

    @property
    def noise(self) -> float | None:
        """ε of each opened value."""
        if not self.epsilon:
            return None
        try:
            return float(Decimal(self.epsilon))
        except InvalidOperation:
            return -1.0

    @property
    def values(self) -> tuple[str, ...]:
        """What is opened for each counterparty and bucket, in the order of the vector."""
        if self.policy == "off":
            return ()
        labels = OF_LABELS if self.first_stage else OF_LABELS[:2]
        return (*OF_PAYMENTS, *labels) if self.policy == "counts" else ("frauds",)

    @property
    def most(self) -> int:
        """The most that one bank's count weighs: an entry of a watch-list is an entry."""
        return self.cap if self.policy == "counts" else 1

    @property
    def words(self) -> Literal["k24w32", "k56w64"]:
        """The words of the masked vector that hold a bank's values."""
        short = self.most <= CAP_OF_SHORT_WORDS and self.noise is None
        return "k24w32" if short else "k56w64"

    @property
    def epsilon_of_a_payment(self) -> float | None:
        """What one payment can shift in all: each value of its two cells once, over all time."""
        return None if self.noise is None else self.noise * len(self.values)

    def fits(self, plan: FeaturePlan) -> bool:
        """Whether features of this plan count in the same buckets."""
        here = (self.bucket_hours, self.zone, self.label_delay_days, self.amount_unit)
        return here == (
            plan.bucket_hours,
            plan.zone,
            plan.label_delay_days,
            plan.amount_unit,
        )


SENSITIVITY: Final = {
    "payments": 1,
    "log_amount": LARGEST_LOG,
    "known": 1,
    "frauds": 1,
    "unexplained": UNEXPLAINED_UNIT,
}
"""How much one payment can move each value."""


def _refuse(field: str, sentence: str) -> NoReturn:
    raise Refused("signal_terms", sentence, field=field)
