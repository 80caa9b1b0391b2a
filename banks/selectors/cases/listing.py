"""The list of cases: one tab, filters, a page by keyset."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from banks.models import Case, FreezeRequest, ReasonCode
from banks.services.cases import TYPOLOGIES
from consortium.accounts.models import Bank, User

PAGE: Final = 50
VIEWS: Final = ("open", "mine", "waiting", "freezes", "closed")
UNKNOWN: Final = "unknown"  # a case whose typology nobody has set
UNDER_WAY: Final = Q(status__in=Case.UNDER_WAY)


@dataclass(frozen=True)
class Filters:
    """What the reader asks to see; an empty text asks for nothing."""

    view: str = "open"
    typology: str = ""
    due: str = ""  # overdue
    q: str = ""  # a number or an account
    after: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, Any]) -> Filters:
        """From a request's GET; what is not understood is as if not given."""
        view, typology = query.get("view", "open"), query.get("typology", "")
        return cls(
            view=view if view in VIEWS else "open",
            typology=typology if typology in (*TYPOLOGIES, UNKNOWN) else "",
            due="overdue" if query.get("due") == "overdue" else "",
            q=str(query.get("q", "")).strip()[:80],
            after=str(query.get("after", "")),
        )

    @property
    def narrow(self) -> bool:
        """Whether something besides the tab was chosen."""
        return bool(self.typology or self.due or self.q)

    def address(self, **changes: str) -> str:
        """The query of the list with some filters changed, from its first page."""
        chosen = asdict(replace(self, **{"after": "", **changes}))
        return "?" + urlencode({name: value for name, value in chosen.items() if value})


@dataclass(frozen=True)
class Page:
    cases: Sequence[Case]
    next_cursor: str


def listed(bank: Bank, user: User, filters: Filters, *, most: int = PAGE) -> Page:
    """Cases under way by due time, closed ones by when they were closed.

    Each carries ``alerts_linked`` and ``freeze_waits``.
    """
    rows = (
        matching(bank, user, filters)
        .select_related("owner", "decided_by")
        .annotate(
            alerts_linked=Count("links"),
            freeze_waits=Exists(
                FreezeRequest.objects.filter(case=OuterRef("pk"), status="submitted")
            ),
        )
    )
    field, back = ("closed_at", "-") if filters.view == "closed" else ("due_at", "")
    if cursor := _cursor(filters.after):
        moment, key = cursor
        beyond = {f"{field}__{'lt' if back else 'gt'}": moment}
        rows = rows.filter(Q(**beyond) | Q(**{field: moment}, id__gt=key))
    found = list(rows.order_by(f"{back}{field}", "id")[: most + 1])
    more = len(found) > most
    return Page(found[:most], _next(found[most - 1], field) if more else "")


def matching(bank: Bank, user: User, filters: Filters) -> QuerySet[Case]:
    """The cases that all of ``filters`` let through."""
    rows = Case.objects.filter(_of_view(filters.view, user), _found_by(filters.q), bank=bank)
    if filters.typology:
        rows = rows.filter(typology="" if filters.typology == UNKNOWN else filters.typology)
    if filters.due:
        rows = rows.filter(UNDER_WAY, due_at__lt=timezone.now())
    return rows


def counts(bank: Bank, user: User) -> dict[str, int]:
    """How many cases stand behind each tab, and how many of those under way are late."""
    found: dict[str, int] = Case.objects.filter(bank=bank).aggregate(
        **{view: Count("pk", filter=_of_view(view, user)) for view in VIEWS if view != "freezes"},
        overdue=Count("pk", filter=UNDER_WAY & Q(due_at__lt=timezone.now())),
    )
    freezes = FreezeRequest.objects.filter(bank=bank, status__in=FreezeRequest.AWAITED)
    return {**found, "freezes": freezes.values("case").distinct().count()}


def typologies(bank: Bank, user: User, filters: Filters) -> list[tuple[str, str, int]]:
    """Value, label and count of each typology under the other filters, the most frequent first."""
    rows = matching(bank, user, replace(filters, typology=""))
    found = rows.order_by().values_list("typology").annotate(n=Count("pk")).order_by("-n")
    return [
        (value or UNKNOWN, str(ReasonCode(value).label) if value else "", n) for value, n in found
    ]


def _of_view(view: str, user: User) -> Q:
    awaited = FreezeRequest.objects.filter(case=OuterRef("pk"), status__in=FreezeRequest.AWAITED)
    return {
        "open": UNDER_WAY,
        "mine": UNDER_WAY & Q(owner=user),
        "waiting": Q(status=Case.Status.WAITING),
        "freezes": Q(Exists(awaited)),
        "closed": Q(status=Case.Status.CLOSED),
    }[view]


def _found_by(q: str) -> Q:
    """A case's number, as C-12 or 12, or its account written exactly."""
    if not q:
        return Q()
    digits = q.upper().removeprefix("C-")
    number = (
        Q(number=int(digits))
        if digits.isascii() and digits.isdecimal() and len(digits) < 10
        else Q()
    )
    return number | Q(account=q) if number else Q(account=q)


def _next(last: Case, field: str) -> str:
    moment: datetime = getattr(last, field)
    return f"{round(moment.timestamp() * 1_000_000)}_{last.pk}"


def _cursor(text: str) -> tuple[datetime, uuid.UUID] | None:
    try:
        moment, key = text.split("_")
        return datetime.fromtimestamp(int(moment) / 1_000_000, tz=UTC), uuid.UUID(key)
    except (ValueError, OverflowError, OSError):
        return None
