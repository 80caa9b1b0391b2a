"""A freeze request takes two people; the database holds them apart too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from banks.models import Case, FreezeRequest
from banks.services import cases
from banks.services.alerts import SomebodyWasFirst
from banks.services.cases import freezes
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks.cases.conftest import complete

pytestmark = pytest.mark.django_db
BY_POLICE = {"requester": "police", "reference": "K-2026-114", "reason": "named by the police"}


def a_draft(bank: Bank, actor: Actor, case: Case, **changes: Any) -> FreezeRequest:
    facts = {**BY_POLICE, "received_at": timezone.now() - timedelta(hours=1)}
    return freezes.draft(bank=bank, actor=actor, case_id=case.pk, **{**facts, **changes})


@pytest.fixture
def asked(bank: Bank, analyst: Actor, case: Case) -> FreezeRequest:
    """A complete request that Aiko wrote and submitted."""
    freeze = a_draft(bank, analyst, case)
    return freezes.submit(bank=bank, actor=analyst, freeze_id=freeze.pk)


def test_from_a_draft_to_a_lifted_freeze(
    bank: Bank, analyst: Actor, lead: Actor, asked: FreezeRequest
) -> None:
    assert (asked.status, asked.account) == ("submitted", "acc-1")
    freezes.approve(bank=bank, actor=lead, freeze_id=asked.pk, note="agreed")
    done = freezes.carry_out(
        bank=bank,
        actor=analyst,
        freeze_id=asked.pk,
        carried_out_at=timezone.now(),
        balance=480_000,
        reply="answered by telephone",
    )
    assert (done.status, done.balance, done.carried_out_by_id) == (
        "carried_out",
        480_000,
        analyst.user.pk,
    )
    with pytest.raises(Refused, match="why the freeze is lifted"):
        freezes.lift(bank=bank, actor=lead, freeze_id=asked.pk, reason="")
    lifted = freezes.lift(bank=bank, actor=lead, freeze_id=asked.pk, reason="court order")
    assert lifted.status == "lifted"
    verbs = AuditEntry.objects.filter(verb__startswith="freeze.").order_by("pk")
    assert [entry.verb for entry in verbs] == [
        f"freeze.{act}" for act in ("drafted", "submitted", "approved", "carried_out", "lifted")
    ]
    assert "480000" not in str([entry.facts for entry in verbs])


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"reference": ""}, ["reference"]),
        ({"reason": "", "received_at": None}, ["received_at", "reason"]),
        ({"requester": "own", "reference": ""}, []),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_submitted(
    bank: Bank, analyst: Actor, case: Case, given: dict[str, Any], missing: list[str]
) -> None:
    freeze = a_draft(bank, analyst, case, **given)
    if missing:
        with pytest.raises(freezes.Incomplete) as refused:
            freezes.submit(bank=bank, actor=analyst, freeze_id=freeze.pk)
        assert refused.value.missing == missing
    else:
        freezes.submit(bank=bank, actor=analyst, freeze_id=freeze.pk)
    with bank_scope(bank.pk):
        assert FreezeRequest.objects.get().status == ("drafted" if missing else "submitted")


def test_nobody_approves_what_they_wrote_or_submitted_also_a_superuser(
    bank: Bank, analyst: Actor, lead: Actor, second_lead: Actor, case: Case
) -> None:
    lead.user.is_superuser = True
    lead.user.save()
    freeze = a_draft(bank, lead, case)
    freezes.submit(bank=bank, actor=second_lead, freeze_id=freeze.pk)
    for own in (lead, second_lead):
        with pytest.raises(Refused, match="another person must approve"):
            freezes.approve(bank=bank, actor=own, freeze_id=freeze.pk)
        with (
            bank_scope(bank.pk),
            pytest.raises(IntegrityError, match="nobody_approves_their_own_freeze"),
            transaction.atomic(),
        ):
            FreezeRequest.objects.update(status="approved", decided_by=own.user)


def test_what_comes_back_is_changed_and_submitted_again(
    bank: Bank, analyst: Actor, lead: Actor, asked: FreezeRequest
) -> None:
    freezes.send_back(bank=bank, actor=lead, freeze_id=asked.pk, note="wrong account")
    changed = freezes.revise(
        bank=bank,
        actor=analyst,
        freeze_id=asked.pk,
        account="acc-2",
        received_at=asked.received_at,
        **BY_POLICE,
    )
    assert (changed.account, changed.status) == ("acc-2", "returned")
    again = freezes.submit(bank=bank, actor=analyst, freeze_id=asked.pk)
    assert (again.status, again.decided_by, again.decision_note) == ("submitted", None, "")


def test_a_submitted_request_is_not_changed_behind_the_second_person_s_back(
    bank: Bank, analyst: Actor, asked: FreezeRequest
) -> None:
    with pytest.raises(SomebodyWasFirst):
        freezes.revise(bank=bank, actor=analyst, freeze_id=asked.pk, account="x", requester="own")


def test_it_is_carried_out_after_it_came_and_not_in_the_future(
    bank: Bank, analyst: Actor, lead: Actor, asked: FreezeRequest
) -> None:
    facts = {"bank": bank, "actor": analyst, "freeze_id": asked.pk, "balance": 1}
    with pytest.raises(SomebodyWasFirst):
        freezes.carry_out(**facts, carried_out_at=timezone.now())
    freezes.approve(bank=bank, actor=lead, freeze_id=asked.pk)
    for moment, why in (
        (timezone.now() - timedelta(days=2), "before the request was received"),
        (timezone.now() + timedelta(days=2), "still to come"),
        (None, "when it was carried out"),
    ):
        with pytest.raises(Refused, match=why):
            freezes.carry_out(**facts, carried_out_at=moment)
    with pytest.raises(Refused, match="the balance"):
        freezes.carry_out(**{**facts, "balance": None}, carried_out_at=timezone.now())


def test_one_account_is_asked_for_once_at_a_time(
    bank: Bank, analyst: Actor, case: Case, asked: FreezeRequest
) -> None:
    with pytest.raises(Refused, match="under way already"):
        a_draft(bank, analyst, case)


def test_a_case_waits_for_its_freeze_requests(
    bank: Bank, analyst: Actor, case: Case, asked: FreezeRequest
) -> None:
    complete(bank, analyst, case)
    with pytest.raises(Refused, match="still missing"):
        cases.submit(bank=bank, actor=analyst, case_id=case.pk, outcome="fraud", summary="x")
