from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from banks.models import Alert, Case
from banks.services import cases
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Membership, Role, User
from consortium.accounts.tenancy import bank_scope
from tests.banks.test_alerts import an_alert

DECIDED = {"status": "decided", "disposition": "fraud", "reason_code": "ore_ore"}


@pytest.fixture
def second_lead(bank: Bank) -> Actor:
    """Another lead than Ren."""
    user = User.objects.create_user("tomo@sakura.example", "plum rain", name="Tomo Imai")
    Membership.objects.create(user=user, bank=bank, role=Role.LEAD)
    return Actor(label=str(user), user=user, bank=bank, role=Role.LEAD)


@pytest.fixture
def alerts(bank: Bank) -> list[Alert]:
    """Three open alerts of one account, over 10,000, 20,000 and 30,000 yen."""
    with bank_scope(bank.pk):
        return [an_alert(bank, number) for number in (1, 2, 3)]


@pytest.fixture
def case(bank: Bank, analyst: Actor, alerts: list[Alert]) -> Case:
    """A case of the first two alerts, in Aiko's hands."""
    opened = cases.open_case(
        bank=bank, actor=analyst, alert_ids=[a.pk for a in alerts[:2]], typology="mule"
    )
    return cases.take(bank=bank, actor=analyst, case_id=opened.pk)


def complete(bank: Bank, actor: Actor, case: Case) -> None:
    """Answer every step and decide every alert."""
    with bank_scope(bank.pk):
        for step in list(case.steps.all()):
            cases.tick(bank=bank, actor=actor, case_id=case.pk, code=step.code)
        ids = list(case.links.values_list("alert_id", flat=True))
        Alert.objects.filter(pk__in=ids).update(decided_at=timezone.now(), **DECIDED)


def submitted(bank: Bank, actor: Actor, case: Case, **changes: Any) -> Case:
    complete(bank, actor, case)
    facts = {"outcome": "fraud", "summary": "The account was sold.", "amount_saved": 12_000}
    return cases.submit(bank=bank, actor=actor, case_id=case.pk, **{**facts, **changes})
