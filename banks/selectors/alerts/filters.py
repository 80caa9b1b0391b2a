"""What a reader asks to see of the queue: one tab, some facets, a word to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from banks.models import Alert, BankSettings, Transaction
from consortium.accounts.models import Bank, User

Status = Alert.Status
OPEN: Final = (Status.OPEN, Status.CLAIMED)
VIEWS: Final = ("open", "unassigned", "mine", "later", "decided")
AMOUNTS: Final = (10_000, 100_000, 1_000_000)  # lower edges of the bands above the first
VEILED: Final = Q(blind=True) | Q(sample=True)


@dataclass(frozen=True)
class Filters:
    """What the reader asks to see; an empty text asks for nothing."""

    view: str = "open"
    channel: str = ""
    amount: str = ""  # band, from "0"
    age: str = ""  # overdue, today or later
    only: str = ""  # consortium or veiled
    q: str = ""  # an account, a counterparty or a transaction id
    after: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, Any]) -> Filters:
        """From a request's GET; what is not understood is as if not given."""
        view, amount = query.get("view", "open"), query.get("amount", "")
        age, only = query.get("age", ""), query.get("only", "")
        return cls(
            view=view if view in VIEWS else "open",
            channel=str(query.get("channel", ""))[:20],
            amount=amount if amount in BANDS else "",
            age=age if age in AGES else "",
            only=only if only in ONLY else "",
            q=str(query.get("q", "")).strip()[:80],
            after=str(query.get("after", "")),
        )

    @property
    def kept(self) -> dict[str, str]:
        """What makes up a saved view: all but the place in the list."""
        return {name: value for name, value in asdict(self).items() if value and name != "after"}

    @property
    def narrow(self) -> bool:
        """Whether something besides the tab was chosen."""
        return bool(self.channel or self.amount or self.age or self.only or self.q)

    def address(self, **changes: str) -> str:
        """The query of the queue with some filters changed, from its first page."""
        return "?" + urlencode(replace(self, **{"after": "", **changes}).kept | _cursor(changes))


BANDS: Final = tuple(str(band) for band in range(len(AMOUNTS) + 1))
AGES: Final = ("overdue", "today", "later")
ONLY: Final = ("consortium", "veiled")


def _cursor(changes: Mapping[str, str]) -> dict[str, str]:
    return {"after": changes["after"]} if changes.get("after") else {}


@dataclass(frozen=True)
class Deadlines:
    """Alerts raised before these moments are overdue, or due before the bank's midnight."""

    overdue: datetime
    today: datetime

    @classmethod
    def of(cls, settings: BankSettings) -> Deadlines:
        now = timezone.now()
        grace = timedelta(hours=settings.sla_hours)
        local = now.astimezone(ZoneInfo(settings.zone))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return cls(overdue=now - grace, today=midnight - grace)


def awake() -> Q:
    """Not put off, or no longer."""
    return Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=timezone.now())


def of_view(view: str, user: User) -> Q:
    """The condition of one tab."""
    return {
        "open": Q(status__in=OPEN) & awake(),
        "unassigned": Q(status=Status.OPEN) & awake(),
        "mine": Q(status=Status.CLAIMED, claimed_by=user),
        "later": Q(status__in=OPEN, snoozed_until__gt=timezone.now()),
        "decided": Q(status=Status.DECIDED),
    }[view]


def found_by(bank: Bank, q: str) -> Q:
    """Alerts of an account, a counterparty or a transaction id, written exactly."""
    if not q:
        return Q()
    named = Q(account=q) | Q(counterparty=q) | Q(external_id=q)
    return Q(transaction__in=Transaction.objects.filter(named, bank=bank))


def amount_band() -> Case:
    """The band of an alert's amount, for a query."""
    bands = [When(amount__lt=edge, then=Value(str(band))) for band, edge in enumerate(AMOUNTS)]
    return Case(*bands, default=Value(str(len(AMOUNTS))))


def age_band(deadlines: Deadlines) -> Case:
    return Case(
        When(created_at__lt=deadlines.overdue, then=Value("overdue")),
        When(created_at__lt=deadlines.today, then=Value("today")),
        default=Value("later"),
    )


def only_band() -> Case:
    """Veiled alerts say nothing of who saw them."""
    return Case(
        When(VEILED, then=Value("veiled")),
        When(only_consortium=True, then=Value("consortium")),
        default=Value(""),
    )


def matching(bank: Bank, user: User, filters: Filters, deadlines: Deadlines) -> QuerySet[Alert]:
    """The alerts that all of ``filters`` let through."""
    rows = Alert.objects.filter(of_view(filters.view, user), found_by(bank, filters.q), bank=bank)
    if filters.channel:
        rows = rows.filter(channel=filters.channel)
    if filters.amount:
        rows = rows.alias(amount_band=amount_band()).filter(amount_band=filters.amount)
    if filters.age:
        rows = rows.alias(age_band=age_band(deadlines)).filter(age_band=filters.age)
    if filters.only and filters.view == "decided":
        rows = rows.filter(VEILED if filters.only == "veiled" else Q(only_consortium=True))
    elif filters.only:
        rows = rows.alias(only_band=only_band()).filter(only_band=filters.only)
    return rows
