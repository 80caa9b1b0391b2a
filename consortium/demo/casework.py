"""Two cases at each bank of the demo: one whose freeze request waits for the lead, one closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from banks.models import Alert, Case, CaseStep, ContactAttempt, FreezeRequest
from banks.services import cases
from banks.services.cases import freezes
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.demo import cast

Said = ContactAttempt.Outcome


def work_on_some(bank: Bank) -> int:
    """Open two cases from today's frauds, where there are so many; how many were opened."""
    analyst, lead = cast.actor(bank, "analyst"), cast.actor(bank, "lead")
    with bank_scope(bank.pk):
        if Case.objects.exists():
            return 0
        frauds = list(
            Alert.objects.select_related("transaction")
            .filter(disposition=Alert.Disposition.FRAUD)
            .order_by("-transaction__amount")
        )
    groups = _by_account(frauds)[:2]
    if groups:
        _waiting(bank, analyst, groups[0])
    if len(groups) > 1:
        _closed(bank, analyst, lead, groups[1])
    return len(groups)


def _waiting(bank: Bank, analyst: Actor, alerts: Sequence[Alert]) -> None:
    case = _taken(bank, analyst, alerts)
    about: dict[str, Any] = {"bank": bank, "actor": analyst, "case_id": case.pk}
    cases.tick(**about, code=CaseStep.Code.FACTS, note="Far above what is usual here.")
    for hours in (20, 3):
        _called(bank, analyst, case, hours, Said.NO_ANSWER)
    request = freezes.draft(
        **about,
        requester=FreezeRequest.Requester.POLICE,
        reference="K-2026-0114",
        received_at=timezone.now() - timedelta(hours=2),
        reason="Named by the police in a report of today; two calls without answer.",
    )
    freezes.submit(bank=bank, actor=analyst, freeze_id=request.pk)


def _closed(bank: Bank, analyst: Actor, lead: Actor, alerts: Sequence[Alert]) -> None:
    case = _taken(bank, analyst, alerts)
    about: dict[str, Any] = {"bank": bank, "actor": analyst, "case_id": case.pk}
    _called(bank, analyst, case, 5, Said.NOT_OWN)
    with bank_scope(bank.pk):
        codes = list(case.steps.values_list("code", flat=True))
    for code in codes:
        cases.tick(**about, code=code)
    cases.submit(
        **about,
        outcome=Case.Outcome.FRAUD,
        summary="The customer did not make these payments. They were stopped in time.",
        amount_saved=case.amount_at_risk,
    )
    cases.approve(bank=bank, actor=lead, case_id=case.pk, note="Agreed.")


def _taken(bank: Bank, analyst: Actor, alerts: Sequence[Alert]) -> Case:
    opened = cases.open_case(bank=bank, actor=analyst, alert_ids=[alert.pk for alert in alerts])
    return cases.take(bank=bank, actor=analyst, case_id=opened.pk)


def _called(bank: Bank, analyst: Actor, case: Case, hours: int, outcome: str) -> None:
    cases.record_contact(
        bank=bank,
        actor=analyst,
        case_id=case.pk,
        channel=ContactAttempt.Channel.PHONE,
        outcome=outcome,
        at=timezone.now() - timedelta(hours=hours),
    )


def _by_account(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """The alerts of each account, the account with the largest payment first."""
    found: dict[str, list[Alert]] = {}
    for alert in alerts:
        found.setdefault(alert.transaction.account, []).append(alert)
    return list(found.values())
