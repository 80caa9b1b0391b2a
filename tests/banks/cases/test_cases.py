"""A case from its opening to its end: who may do what, and what the database itself refuses."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from banks.models import Alert, Case, CaseAlert, CaseEvent, ContactAttempt
from banks.services import cases
from banks.services.alerts import SomebodyWasFirst
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests import make
from tests.banks.cases.conftest import complete, submitted
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db


def kinds(bank: Bank, case: Case) -> list[str]:
    with bank_scope(bank.pk):
        return list(case.events.values_list("kind", flat=True))


class TestOpening:
    def test_a_case_counts_from_one_and_adds_up_what_is_at_risk(
        self, bank: Bank, analyst: Actor, alerts: list[Alert]
    ) -> None:
        first = cases.open_case(bank=bank, actor=analyst, alert_ids=[a.pk for a in alerts[:2]])
        second = cases.open_case(bank=bank, actor=analyst, account="acc-77")
        assert [str(first), str(second)] == ["C-1", "C-2"]
        assert (first.account, first.amount_at_risk) == ("acc-1", 30_000)
        assert (second.account, second.amount_at_risk) == ("acc-77", 0)
        assert (first.status, first.owner) == ("open", None)
        assert kinds(bank, first) == ["opened", "linked", "linked"]
        assert AuditEntry.objects.filter(verb="case.opened").count() == 2

    def test_its_typology_follows_the_decision_and_its_checklist_the_typology(
        self, bank: Bank, analyst: Actor, alerts: list[Alert]
    ) -> None:
        with bank_scope(bank.pk):
            Alert.objects.filter(pk=alerts[0].pk).update(reason_code="ore_ore")
        case = cases.open_case(bank=bank, actor=analyst, alert_ids=[alerts[0].pk])
        with bank_scope(bank.pk):
            assert case.typology == "ore_ore"
            assert [s.code for s in case.steps.all()] == list(cases.steps_for("ore_ore"))

    def test_every_typology_of_the_alert_desk_has_a_checklist(self) -> None:
        assert set(cases.CHECKLISTS) == set(cases.TYPOLOGIES)

    def test_nothing_and_nobody_is_no_case(self, bank: Bank, analyst: Actor) -> None:
        with pytest.raises(Refused, match="name the account"):
            cases.open_case(bank=bank, actor=analyst)
        with pytest.raises(Refused, match="no such alert"):
            cases.open_case(bank=bank, actor=analyst, alert_ids=[uuid.uuid4()])
        with pytest.raises(Refused, match="typology from the list"):
            cases.open_case(bank=bank, actor=analyst, account="a", typology="bad weather")
        with bank_scope(bank.pk):
            assert not Case.objects.exists()

    def test_another_bank_s_alert_is_none_of_this_one_s(
        self, bank: Bank, other_bank: Bank, analyst: Actor
    ) -> None:
        with bank_scope(other_bank.pk):
            theirs = an_alert(other_bank)
        with pytest.raises(Refused, match="no such alert"):
            cases.open_case(bank=bank, actor=analyst, alert_ids=[theirs.pk])


class TestLinking:
    def test_an_alert_is_in_one_case_under_way(
        self, bank: Bank, analyst: Actor, alerts: list[Alert], case: Case
    ) -> None:
        with pytest.raises(cases.InAnotherCase, match="is in case C-1 already"):
            cases.open_case(bank=bank, actor=analyst, alert_ids=[alerts[0].pk])
        cases.unlink(bank=bank, actor=analyst, case_id=case.pk, alert_id=alerts[0].pk)
        other = cases.open_case(bank=bank, actor=analyst, alert_ids=[alerts[0].pk])
        with bank_scope(bank.pk):
            assert Case.objects.get(pk=case.pk).amount_at_risk == 20_000
        assert other.amount_at_risk == 10_000

    def test_linking_again_changes_nothing(
        self, bank: Bank, analyst: Actor, alerts: list[Alert], case: Case
    ) -> None:
        before = kinds(bank, case)
        cases.link(bank=bank, actor=analyst, case_id=case.pk, alert_ids=[alerts[0].pk])
        assert kinds(bank, case) == before

    def test_what_is_linked_or_not_is_audited(
        self, bank: Bank, analyst: Actor, alerts: list[Alert], case: Case
    ) -> None:
        cases.link(bank=bank, actor=analyst, case_id=case.pk, alert_ids=[alerts[2].pk])
        cases.unlink(bank=bank, actor=analyst, case_id=case.pk, alert_id=alerts[2].pk)
        about = [
            (entry.verb, entry.facts["alert"])
            for entry in AuditEntry.objects.filter(facts__alert=str(alerts[2].pk)).order_by("pk")
        ]
        assert about == [
            ("case.alert_linked", str(alerts[2].pk)),
            ("case.alert_unlinked", str(alerts[2].pk)),
        ]


class TestWorking:
    def test_a_step_keeps_who_did_it_and_what_is_unnecessary_says_why(
        self, bank: Bank, analyst: Actor, case: Case
    ) -> None:
        step = cases.tick(bank=bank, actor=analyst, case_id=case.pk, code="flow", note="to acc-9")
        assert (step.done_by, step.note, bool(step.done_at)) == (analyst.user, "to acc-9", True)
        with pytest.raises(Refused, match="Say why this is unnecessary"):
            cases.tick(
                bank=bank, actor=analyst, case_id=case.pk, code="police", answer="unnecessary"
            )
        with pytest.raises(Refused, match="not on the checklist"):
            cases.tick(bank=bank, actor=analyst, case_id=case.pk, code="card_block")

    def test_another_typology_keeps_what_was_done(
        self, bank: Bank, analyst: Actor, case: Case
    ) -> None:
        cases.tick(bank=bank, actor=analyst, case_id=case.pk, code="flow")
        cases.set_typology(bank=bank, actor=analyst, case_id=case.pk, typology="stolen_card")
        with bank_scope(bank.pk):
            codes = [step.code for step in case.steps.all()]
        assert codes == [*cases.steps_for("stolen_card"), "flow"]

    def test_no_answer_is_not_reached(self, bank: Bank, analyst: Actor, case: Case) -> None:
        facts = {"bank": bank, "actor": analyst, "case_id": case.pk, "channel": "phone"}
        assert not cases.record_contact(**facts, outcome="no_answer").reached
        assert cases.record_contact(**facts, outcome="deceived").reached
        later = timezone.now() + timedelta(hours=1)
        with pytest.raises(Refused, match="still to come"):
            cases.record_contact(**facts, outcome="no_answer", at=later)
        with pytest.raises(Refused, match="how the customer was contacted"):
            cases.record_contact(**{**facts, "channel": "pigeon"}, outcome="no_answer")
        with bank_scope(bank.pk):
            assert ContactAttempt.objects.count() == 2

    def test_a_note_of_ten_thousand_characters_is_refused(
        self, bank: Bank, analyst: Actor, case: Case
    ) -> None:
        with pytest.raises(Refused, match="10000 characters; at most 2000"):
            cases.add_note(bank=bank, actor=analyst, case_id=case.pk, text="x" * 10_000)

    def test_a_lead_gives_it_to_a_colleague_who_may_work_on_it(
        self, bank: Bank, analyst: Actor, lead: Actor, case: Case
    ) -> None:
        given = cases.assign(bank=bank, actor=lead, case_id=case.pk, owner_id=lead.user.pk)
        assert given.owner == lead.user
        auditor = make.actor("sora").user
        with pytest.raises(Refused, match="an analyst or a lead"):
            cases.assign(bank=bank, actor=lead, case_id=case.pk, owner_id=auditor.pk)

    def test_a_due_time_lies_ahead(self, bank: Bank, analyst: Actor, case: Case) -> None:
        with pytest.raises(Refused, match="in the future"):
            cases.set_due(bank=bank, actor=analyst, case_id=case.pk, due_at=timezone.now())


class TestEnding:
    def test_it_waits_until_nothing_is_missing(
        self, bank: Bank, analyst: Actor, case: Case
    ) -> None:
        facts = {"outcome": "fraud", "summary": "sold"}
        with pytest.raises(Refused, match="still missing"):
            cases.submit(bank=bank, actor=analyst, case_id=case.pk, **facts)
        with bank_scope(bank.pk):
            assert {lack.code: lack.count for lack in cases.lacks(case)} == {
                "steps": 8,
                "alerts": 2,
            }
        assert submitted(bank, analyst, case).status == "waiting"

    def test_a_second_person_closes_it(
        self, bank: Bank, analyst: Actor, lead: Actor, case: Case
    ) -> None:
        submitted(bank, analyst, case)
        closed = cases.approve(bank=bank, actor=lead, case_id=case.pk, note="well done")
        assert (closed.status, closed.decided_by, closed.amount_saved) == (
            "closed",
            lead.user,
            12_000,
        )
        with bank_scope(bank.pk):
            assert not CaseAlert.objects.filter(holding=True).exists()
        with pytest.raises(SomebodyWasFirst, match="case is closed"):
            cases.add_note(bank=bank, actor=analyst, case_id=case.pk, text="one more thing")

    def test_nobody_approves_their_own_case_also_a_superuser(
        self, bank: Bank, lead: Actor, case: Case
    ) -> None:
        assert lead.user
        lead.user.is_superuser = True
        lead.user.save()
        cases.take(bank=bank, actor=lead, case_id=case.pk)
        submitted(bank, lead, case)
        with pytest.raises(Refused, match="another person must approve"):
            cases.approve(bank=bank, actor=lead, case_id=case.pk)
        with (
            bank_scope(bank.pk),
            pytest.raises(IntegrityError, match="nobody_closes_their_own_case"),
            transaction.atomic(),
        ):
            Case.objects.filter(pk=case.pk).update(
                status="closed", closed_at=timezone.now(), decided_by=lead.user
            )

    def test_what_comes_back_says_why_and_can_be_submitted_again(
        self, bank: Bank, analyst: Actor, lead: Actor, case: Case
    ) -> None:
        submitted(bank, analyst, case)
        with pytest.raises(Refused, match="Say why it goes back"):
            cases.send_back(bank=bank, actor=lead, case_id=case.pk, reason=" ")
        back = cases.send_back(bank=bank, actor=lead, case_id=case.pk, reason="call once more")
        assert (back.status, back.outcome, back.submitted_at) == ("in_progress", "", None)
        assert submitted(bank, analyst, case).status == "waiting"
        assert kinds(bank, case)[-1] == CaseEvent.Kind.SUBMITTED

    def test_only_its_owner_submits_and_only_who_submitted_withdraws(
        self, bank: Bank, analyst: Actor, lead: Actor, case: Case
    ) -> None:
        complete(bank, analyst, case)
        facts = {"outcome": "genuine", "summary": "own payments"}
        with pytest.raises(Refused, match="Only who owns this case"):
            cases.submit(bank=bank, actor=lead, case_id=case.pk, **facts)
        cases.submit(bank=bank, actor=analyst, case_id=case.pk, **facts)
        with pytest.raises(Refused, match="Only who submitted this case"):
            cases.withdraw(bank=bank, actor=lead, case_id=case.pk)
        assert cases.withdraw(bank=bank, actor=analyst, case_id=case.pk).status == "in_progress"

    def test_reopening_holds_its_alerts_again_unless_another_case_has_one(
        self, bank: Bank, analyst: Actor, lead: Actor, alerts: list[Alert], case: Case
    ) -> None:
        submitted(bank, analyst, case)
        cases.approve(bank=bank, actor=lead, case_id=case.pk)
        taken = cases.open_case(bank=bank, actor=analyst, alert_ids=[alerts[1].pk])
        with pytest.raises(cases.InAnotherCase, match="is in case C-2 already"):
            cases.reopen(bank=bank, actor=lead, case_id=case.pk, reason="new facts")
        with bank_scope(bank.pk):
            assert Case.objects.get(pk=case.pk).status == "closed"
        cases.unlink(bank=bank, actor=analyst, case_id=taken.pk, alert_id=alerts[1].pk)
        again = cases.reopen(bank=bank, actor=lead, case_id=case.pk, reason="new facts")
        assert (again.status, again.outcome, again.closed_at) == ("in_progress", "", None)


@pytest.mark.django_db(transaction=True)
def test_of_two_cases_opened_at_once_on_one_alert_one_comes_to_be() -> None:
    bank = make.bank("sakura")
    actors = [make.actor("aiko"), make.actor("ren")]
    with bank_scope(bank.pk):
        made = [an_alert(bank, number) for number in range(1, 5)]

    def attempt(actor: Actor, alert: Alert) -> str:
        try:
            return str(cases.open_case(bank=bank, actor=actor, alert_ids=[alert.pk]))
        except cases.InAnotherCase as refused:
            return str(refused)
        finally:
            connection.close()

    for place, alert in enumerate(made, 1):
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(attempt, actors, [alert, alert]))
        assert sum("already" in answer for answer in answers) == 1
        assert f"C-{place}" in answers
    with bank_scope(bank.pk):
        assert Case.objects.count() == len(made)
