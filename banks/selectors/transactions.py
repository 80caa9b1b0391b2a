"""Finding any transaction, also one that never alerted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Prefetch, Q

from banks.models import Alert, LabelEvent, Score, Transaction
from consortium.accounts.models import Bank

PAGE: Final = 50


@dataclass(frozen=True)
class Found:
    """A page of transactions, newest first."""

    transactions: list[Transaction]
    next_cursor: str


def currency(bank: Bank) -> str:
    """Of the bank's latest transaction; yen before the first."""
    found = Transaction.objects.filter(bank=bank).order_by("-time")
    return found.values_list("currency", flat=True).first() or "JPY"


def search(bank: Bank, *, after: str = "", **wanted: Any) -> Found:
    """Transactions that match all that is ``wanted``.

    Understood: id, account, counterparty (exact), amount_from, amount_to (minor units), since,
    until (times, until exclusive), label (0, 1 or "unknown").
    """
    rows = Transaction.objects.filter(_condition(wanted), bank=bank)
    if cursor := _cursor(after):
        time, key = cursor
        rows = rows.filter(Q(time__lt=time) | Q(time=time, pk__lt=key))
    found = list(
        rows.order_by("-time", "-pk").prefetch_related(
            Prefetch("alerts", queryset=Alert.objects.only("pk", "transaction_id", "status"))
        )[: PAGE + 1]
    )
    more = len(found) > PAGE
    return Found(found[:PAGE], _next(found[PAGE - 1]) if more else "")


def get(bank: Bank, transaction_id: int) -> Transaction | None:
    """One transaction with its scores, alerts and labels."""
    return (
        Transaction.objects.prefetch_related(
            Prefetch(
                "scores",
                queryset=Score.objects.select_related("version").defer("version__artifact"),
            ),
            "alerts",
            Prefetch("labels", queryset=LabelEvent.objects.select_related("said_by")),
        )
        .filter(bank=bank, pk=transaction_id)
        .first()
    )


def _condition(wanted: dict[str, Any]) -> Q:
    lookups = {
        "id": "external_id",
        "account": "account",
        "counterparty": "counterparty",
        "amount_from": "amount__gte",
        "amount_to": "amount__lte",
        "since": "time__gte",
        "until": "time__lt",
    }
    condition = Q()
    for name, lookup in lookups.items():
        if wanted.get(name) not in (None, ""):
            condition &= Q(**{lookup: wanted[name]})
    label = wanted.get("label")
    if label == "unknown":
        condition &= Q(label__isnull=True)
    elif label not in (None, ""):
        condition &= Q(label=int(label))
    return condition


def _next(last: Transaction) -> str:
    return f"{round(last.time.timestamp() * 1_000_000)}_{last.pk}"


def _cursor(text: str) -> tuple[datetime, int] | None:
    try:
        time, key = (int(part) for part in text.split("_"))
        return datetime.fromtimestamp(time / 1_000_000, tz=UTC), key
    except (ValueError, OverflowError, OSError):
        return None
