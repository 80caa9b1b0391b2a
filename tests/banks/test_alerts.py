"""Deciding alerts: one person at a time, never without disposition and reason."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from banks.models import Alert, AlertEvent, LabelEvent, ModelVersion, Transaction
from banks.services import alerts
from banks.services.labels import label_transaction
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests import make


def an_alert(bank: Bank, number: int = 1, **changes: Any) -> Alert:
    """An alert by a version without a model behind it; call in the bank's scope."""
    version, _ = ModelVersion.objects.get_or_create(
        bank=bank,
        number=1,
        defaults={
            "origin": "alone",
            "family": "mlp",
            "status": "published",
            "artifact": b"",
            "artifact_sha256": "0" * 64,
        },
    )
    transaction = Transaction.objects.create(
        bank=bank,
        external_id=f"t-{number}",
        time=timezone.now() - timedelta(hours=number),
        account="acc-1",
        counterparty="shop-1",
        amount=10_000 * number,
        channel="card" if number % 2 else "web",
    )
    facts = {
        "amount": transaction.amount,
        "probability": 0.6,
        "threshold": 0.3,
        "expected_loss": 3_000 * number,
        "channel": transaction.channel,
        "reasons": [
            {"feature": "amount_to_mean_30d", "contribution": 1.2, "value": 8.0, "typical": 1.0}
        ],
    }
    return Alert.objects.create(
        bank=bank, transaction=transaction, version=version, **{**facts, **changes}
    )


@pytest.fixture
def alert(bank: Bank) -> Alert:
    with bank_scope(bank.pk):
        return an_alert(bank)


@pytest.mark.django_db
class TestDeciding:
    def test_a_decision_labels_the_transaction_for_the_next_training(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        alerts.decide(
            bank=bank,
            actor=analyst,
            alert_id=alert.pk,
            disposition="fraud",
            reason_code="phishing",
            note="caller ID spoofed",
        )
        with bank_scope(bank.pk):
            decided = Alert.objects.get(pk=alert.pk)
            label = LabelEvent.objects.get()
            transaction = Transaction.objects.get(pk=alert.transaction_id)
        assert (decided.status, decided.decided_by) == ("decided", analyst.user)
        assert (label.value, label.source, label.learned_by) == (1, "alert", None)
        assert (transaction.label, transaction.label_known_at) == (1, label.known_at)
        assert AuditEntry.objects.filter(verb="alert.decided", user=analyst.user).exists()

    def test_cannot_tell_leaves_the_label_unknown(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        alerts.decide(
            bank=bank,
            actor=analyst,
            alert_id=alert.pk,
            disposition="cannot_tell",
            reason_code="no_contact",
        )
        with bank_scope(bank.pk):
            assert not LabelEvent.objects.exists()
            assert Transaction.objects.get().label is None

    @pytest.mark.parametrize(
        ("disposition", "reason"),
        [("", "phishing"), ("fraud", ""), ("fraud", "customer_confirmed"), ("maybe", "phishing")],
    )
    def test_no_close_without_a_disposition_and_a_fitting_reason(
        self, bank: Bank, analyst: Actor, alert: Alert, disposition: str, reason: str
    ) -> None:
        with pytest.raises(Refused):
            alerts.decide(
                bank=bank,
                actor=analyst,
                alert_id=alert.pk,
                disposition=disposition,
                reason_code=reason,
            )
        with bank_scope(bank.pk):
            assert Alert.objects.get().status == "open"

    def test_who_comes_second_learns_who_was_first_and_when(
        self, bank: Bank, analyst: Actor, lead: Actor, alert: Alert
    ) -> None:
        alerts.claim(bank=bank, actor=lead, alert_id=alert.pk)
        with pytest.raises(alerts.SomebodyWasFirst) as refused:
            alerts.claim(bank=bank, actor=analyst, alert_id=alert.pk)
        assert "Ren Sato took this alert at 2" in str(refused.value)
        with pytest.raises(alerts.SomebodyWasFirst):
            alerts.decide(
                bank=bank,
                actor=analyst,
                alert_id=alert.pk,
                disposition="genuine",
                reason_code="customer_confirmed",
            )

    def test_taking_ones_own_alert_again_changes_nothing(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        alerts.claim(bank=bank, actor=analyst, alert_id=alert.pk)
        alerts.claim(bank=bank, actor=analyst, alert_id=alert.pk)
        with bank_scope(bank.pk):
            assert AlertEvent.objects.filter(kind="claimed").count() == 1

    def test_only_who_took_an_alert_or_a_lead_puts_it_back(
        self, bank: Bank, analyst: Actor, lead: Actor, alert: Alert
    ) -> None:
        alerts.claim(bank=bank, actor=lead, alert_id=alert.pk)
        with pytest.raises(Refused):
            alerts.release(bank=bank, actor=analyst, alert_id=alert.pk)
        alerts.release(bank=bank, actor=lead, alert_id=alert.pk)
        alerts.claim(bank=bank, actor=analyst, alert_id=alert.pk)
        assert alerts.release(bank=bank, actor=lead, alert_id=alert.pk).status == "open"

    def test_taking_a_decision_back_takes_its_label_back(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        decision = {"disposition": "fraud", "reason_code": "phishing"}
        alerts.decide(bank=bank, actor=analyst, alert_id=alert.pk, **decision)
        alerts.reopen(bank=bank, actor=analyst, alert_id=alert.pk, reason="wrong row")
        with bank_scope(bank.pk):
            again = Alert.objects.get()
            assert (again.status, again.disposition) == ("claimed", "")
            assert Transaction.objects.get().label is None
            assert [event.value for event in LabelEvent.objects.order_by("pk")] == [1, None]

    def test_undoing_within_seconds_restores_state_and_label(
        self, bank: Bank, analyst: Actor, lead: Actor, alert: Alert
    ) -> None:
        with bank_scope(bank.pk):
            label_transaction(
                bank=bank, actor=lead, transaction_id=alert.transaction_id, value=1, reason="called"
            )
        decision = {"disposition": "genuine", "reason_code": "known_pattern"}
        alerts.decide(bank=bank, actor=analyst, alert_id=alert.pk, **decision)
        with pytest.raises(Refused, match="within 10 seconds by who made it"):
            alerts.undo(bank=bank, actor=lead, alert_id=alert.pk)
        alerts.undo(bank=bank, actor=analyst, alert_id=alert.pk)
        with bank_scope(bank.pk):
            again = Alert.objects.get()
            assert (again.status, again.claimed_by, again.disposition) == ("open", None, "")
            assert Transaction.objects.get().label == 1

    def test_later_it_is_taken_back_with_a_reason_only(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        decision = {"disposition": "fraud", "reason_code": "mule"}
        alerts.decide(bank=bank, actor=analyst, alert_id=alert.pk, **decision)
        with bank_scope(bank.pk):
            Alert.objects.update(decided_at=timezone.now() - timedelta(seconds=20))
        with pytest.raises(Refused, match="take it back with a reason"):
            alerts.undo(bank=bank, actor=analyst, alert_id=alert.pk)

    def test_a_comment_of_three_thousand_characters_is_refused(
        self, bank: Bank, analyst: Actor, alert: Alert
    ) -> None:
        with pytest.raises(Refused) as refused:
            alerts.comment(bank=bank, actor=analyst, alert_id=alert.pk, text="x" * 3000)
        assert "3000" in str(refused.value)

    def test_an_unknown_alert_is_refused(self, bank: Bank, analyst: Actor) -> None:
        with pytest.raises(Refused):
            alerts.claim(bank=bank, actor=analyst, alert_id=uuid.uuid4())


@pytest.fixture
def two_reviewers(transactional_db: None) -> tuple[Bank, list[Actor]]:
    bank = make.bank("sakura")
    return bank, [make.actor("aiko"), make.actor("ren")]


def test_of_two_who_decide_at_once_one_wins_and_one_label_is_written(
    two_reviewers: tuple[Bank, list[Actor]],
) -> None:
    bank, actors = two_reviewers
    with bank_scope(bank.pk):
        made = [an_alert(bank, number) for number in range(1, 9)]

    def decide(actor: Actor, alert: Alert) -> str:
        try:
            alerts.decide(
                bank=bank,
                actor=actor,
                alert_id=alert.pk,
                disposition="fraud",
                reason_code="mule",
            )
        except alerts.SomebodyWasFirst as refused:
            return str(refused)
        finally:
            connection.close()
        return "decided"

    for alert in made:
        with ThreadPoolExecutor(2) as both:
            answers = sorted(both.map(decide, actors, [alert, alert]))
        assert answers[1] == "decided" or answers[0] == "decided"
        assert sum(answer == "decided" for answer in answers) == 1
        assert any("decided this alert at" in answer for answer in answers)
    with bank_scope(bank.pk):
        assert LabelEvent.objects.count() == len(made)
