"""One case: what it holds, what else could belong to it, how often the customer was called."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from banks.models import Alert, Case, CaseAlert, ContactAttempt, FreezeRequest, Transaction
from banks.selectors.alerts import OPEN
from consortium.accounts.models import Bank

SUGGESTED: Final = 10
LOOKED_AT: Final = 2000  # the newest payments of an account or counterparty
_PEOPLE: Final = ("owner", "opened_by", "submitted_by", "decided_by")


@dataclass(frozen=True)
class Linked:
    """An alert of the case, and by whom it was put there."""

    link: CaseAlert
    alert: Alert
    transaction: Transaction


@dataclass(frozen=True)
class Suggestion:
    """An open alert that may belong to the case; ``why``: account or counterparty."""

    alert: Alert
    why: str


@dataclass(frozen=True)
class Contacts:
    """Attempts, newest first; ``unanswered`` counts the calls without answer, ``days`` theirs."""

    attempts: list[ContactAttempt]
    unanswered: int
    days: int


def get(bank: Bank, case_id: uuid.UUID) -> Case | None:
    """One case with the people that its page names."""
    return Case.objects.select_related(*_PEOPLE).filter(bank=bank, pk=case_id).first()


def freeze(bank: Bank, freeze_id: uuid.UUID) -> FreezeRequest | None:
    """One freeze request with its case and people."""
    people = ("drafted_by", "submitted_by", "decided_by", "carried_out_by", "lifted_by")
    return (
        FreezeRequest.objects.select_related("case", *people)
        .filter(bank=bank, pk=freeze_id)
        .first()
    )


def linked(case: Case) -> list[Linked]:
    """The case's alerts by the time of their payments."""
    rows = (
        CaseAlert.objects.select_related(
            "linked_by", "alert__transaction", "alert__decided_by", "alert__claimed_by"
        )
        .defer("alert__features", "alert__reasons")
        .filter(case=case)
        .order_by("alert__transaction__time", "pk")
    )
    return [Linked(row, row.alert, row.alert.transaction) for row in rows]


def case_with(alert: Alert) -> Case | None:
    """The case under way that holds an alert, else the newest that did."""
    row = (
        CaseAlert.objects.select_related("case")
        .filter(bank_id=alert.bank_id, alert=alert)
        .order_by("-holding", "-linked_at")
        .first()
    )
    return row.case if row else None


def suggestions(case: Case, there: list[Linked]) -> list[Suggestion]:
    """Open alerts of the same account, then of the same counterparties, by expected loss."""
    accounts = {case.account, *(one.transaction.account for one in there)} - {""}
    counterparties = {one.transaction.counterparty for one in there} - {""}
    found: dict[uuid.UUID, Suggestion] = {}
    for why, values in (("account", accounts), ("counterparty", counterparties)):
        if not values or len(found) >= SUGGESTED:
            continue
        payments = Transaction.objects.filter(bank=case.bank_id, **{f"{why}__in": values})
        newest = payments.order_by("-time").values("pk")[:LOOKED_AT]
        alerts = (
            Alert.objects.select_related("transaction")
            .defer("features", "reasons")
            .filter(bank=case.bank_id, status__in=OPEN, transaction__in=newest)
            .exclude(case_links__holding=True)
            .order_by("-priority", "id")
        )
        for alert in alerts[: SUGGESTED - len(found)]:
            found.setdefault(alert.pk, Suggestion(alert, why))
    return list(found.values())


def contacts(case: Case) -> Contacts:
    """Every attempt, and whether "several calls at different times" is shown by them."""
    attempts = list(case.contacts.select_related("made_by"))
    silent = [one for one in attempts if not one.reached]
    days = {timezone.localtime(one.at).date() for one in silent}
    return Contacts(attempts, len(silent), len(days))
