"""Who else paid the same counterparty: accounts around it, for a small picture and its table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, Sum

from banks.models import Transaction

DAYS: Final = 30
MOST_ACCOUNTS: Final = 12
WIDTH, HEIGHT = 460.0, 280.0


@dataclass(frozen=True)
class Payer:
    """An account that paid there, and its place in the picture."""

    account: str
    payments: int
    total: int
    frauds: int
    last: Any
    own: bool
    x: float
    y: float
    radius: float

    @property
    def label_x(self) -> float:
        return self.x + (self.radius + 6) * (1 if self.x >= WIDTH / 2 else -1)

    @property
    def anchor(self) -> str:
        return "start" if self.x >= WIDTH / 2 else "end"


@dataclass(frozen=True)
class Related:
    counterparty: str
    payers: list[Payer]
    accounts: int
    days: int = DAYS
    width: float = WIDTH
    height: float = HEIGHT
    centre: tuple[float, float] = (WIDTH / 2, HEIGHT / 2)

    @property
    def frauds(self) -> int:
        return sum(payer.frauds for payer in self.payers)


def related(transaction: Transaction) -> Related | None:
    """Accounts that paid this counterparty in the 30 days before, those with frauds first."""
    if not transaction.counterparty:
        return None
    at = transaction.time
    rows = Transaction.objects.filter(
        bank=transaction.bank_id,
        counterparty=transaction.counterparty,
        time__gt=at - timedelta(days=DAYS),
        time__lte=at,
    ).exclude(account="")
    by_account = rows.values("account").annotate(
        payments=Count("pk"),
        total=Sum("amount"),
        frauds=Count("pk", filter=Q(label=1)),
        last=Max("time"),
    )
    found = list(by_account.order_by("-frauds", "-total", "account")[: MOST_ACCOUNTS + 1])
    own = next((row for row in found if row["account"] == transaction.account), None)
    others = [row for row in found if row is not own][: MOST_ACCOUNTS - 1]
    if own is None and transaction.account:
        own = by_account.filter(account=transaction.account).order_by("account").first()
    shown = [row for row in (own, *others) if row]
    most = max((row["total"] for row in shown), default=0) or 1
    return Related(
        counterparty=transaction.counterparty,
        payers=[
            _placed(row, place, len(shown), most, row is own) for place, row in enumerate(shown)
        ],
        accounts=len(found)
        if len(found) <= MOST_ACCOUNTS
        else rows.values("account").distinct().count(),
    )


def _placed(row: Any, place: int, of: int, most: int, own: bool) -> Payer:
    """Around an ellipse, the own account at the left; the area of a dot follows the amount."""
    angle = math.pi + 2 * math.pi * place / of
    return Payer(
        **row,
        own=own,
        x=round(WIDTH / 2 + 150 * math.cos(angle), 1),
        y=round(HEIGHT / 2 + 112 * math.sin(angle), 1),
        radius=round(4 + 9 * math.sqrt(max(row["total"], 0) / most), 1),
    )
