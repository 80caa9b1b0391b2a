"""Every page of a bank: it opens for whom it is meant, and for nobody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from banks.models import (
    Alert,
    BankSettings,
    Import,
    ImportStatus,
    LabelEvent,
    ModelVersion,
    ThresholdChange,
    TrainingRun,
    Transaction,
)
from banks.services import batch_scoring, training
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks import world

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
RAIL = (
    "work",
    "alerts",
    "transactions",
    "performance",
    "imports",
    "training",
    "models",
    "settings",
)


@pytest.fixture
def filled(bank: Bank) -> Bank:
    """A bank whose every page has something to show."""
    make.person("aiko")
    world.with_history(bank, unlabelled_days=10)
    run = training.request_training(bank=bank, actor=make.actor("yui"))
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        source = Import.objects.create(
            bank=bank,
            file_name="history.csv",
            status=ImportStatus.DONE,
            mapping={"columns": {"time": "t"}, "kind": "ready", "extra": ["v1"]},
            rows_imported=4000,
        )
        Transaction.objects.update(source=source)
        Import.objects.update(mapping={})
    batch_scoring.score_waiting(bank=bank)
    return bank


def addresses(bank: Bank) -> Iterator[str]:
    with bank_scope(bank.pk):
        alert, transaction = (
            Alert.objects.order_by("-expected_loss")[0],
            Transaction.objects.all()[0],
        )
        run, source = TrainingRun.objects.get(), Import.objects.get()
    arguments: dict[str, list[Any]] = {
        "work": [],
        "alerts": [],
        "alert": [alert.pk],
        "transactions": [],
        "transaction": [transaction.pk],
        "performance": [],
        "imports": [],
        "import": [source.pk],
        "training": [],
        "training-run": [run.pk],
        "training-progress": [run.pk],
        "models": [],
        "model": [1],
        "settings": [],
    }
    for name, further in arguments.items():
        yield reverse(f"banks:{name}", args=[bank.slug, *further])


def test_every_page_opens_in_both_languages_and_for_the_auditor(
    filled: Bank, sign_in: SignIn
) -> None:
    auditor = sign_in("sora")
    for language in ("en", "ja"):
        user = make.person("sora")
        user.language = language
        user.save()
        for address in addresses(filled):
            answer = auditor.get(address)
            assert answer.status_code == 200, address
            assert b"<form" not in answer.content or b"decide/" not in answer.content


def test_a_stranger_gets_404_everywhere(filled: Bank, sign_in: SignIn) -> None:
    for who in ("kenta", "fumi", "mio"):
        stranger = sign_in(who)
        for address in addresses(filled):
            assert stranger.get(address).status_code == 404, (who, address)


def test_another_banks_ids_are_404_in_ones_own_pages(filled: Bank, sign_in: SignIn) -> None:
    make.bank("fuji")
    own = sign_in("kenta")
    for address in addresses(filled):
        inside = address.replace("/sakura/", "/fuji/")
        if any(part.isdigit() or len(part) == 36 for part in inside.split("/")):
            assert own.get(inside).status_code in {403, 404}, inside


def test_empty_pages_say_what_to_do_next(bank: Bank, sign_in: SignIn) -> None:
    for who in ("ren", "yui"):
        person = sign_in(who)
        for name in [
            "work",
            "alerts",
            "transactions",
            "performance",
            "imports",
            "training",
            "models",
            "settings",
        ]:
            answer = person.get(reverse(f"banks:{name}", args=[bank.slug]))
            if answer.status_code != 403:
                assert answer.status_code == 200
                assert b"</h1>" in answer.content


def test_deciding_on_a_page_leads_to_the_next_alert(filled: Bank, sign_in: SignIn) -> None:
    analyst = sign_in("aiko")
    begun = analyst.post(reverse("banks:start-reviewing", args=[filled.slug]))
    with bank_scope(filled.pk):
        first, second = Alert.objects.order_by("-expected_loss", "id")[:2]
    assert str(first.pk) in begun["Location"]
    answer = analyst.post(
        reverse("banks:decide", args=[filled.slug, first.pk]),
        {"disposition": "fraud", "reason_code": "stolen_card", "note": "<b>called</b>"},
    )
    assert answer.status_code == 302
    assert str(second.pk) in answer["Location"]
    page = analyst.get(answer["Location"])
    assert b"data-undo=" in page.content
    closed = analyst.get(reverse("banks:alert", args=[filled.slug, first.pk])).content.decode()
    assert "&lt;b&gt;called&lt;/b&gt;" in closed
    with bank_scope(filled.pk):
        assert LabelEvent.objects.get().value == 1


def test_what_was_typed_stays_when_a_decision_is_refused(filled: Bank, sign_in: SignIn) -> None:
    with bank_scope(filled.pk):
        alert = Alert.objects.order_by("-expected_loss")[0]
    address = reverse("banks:decide", args=[filled.slug, alert.pk])
    answer = sign_in("aiko").post(address, {"disposition": "fraud", "note": "a long story"})
    assert answer.status_code == 422
    assert "a long story" in answer.content.decode()
    assert "Choose a reason" in answer.content.decode()


def test_the_second_of_two_reads_who_was_first(filled: Bank, sign_in: SignIn) -> None:
    with bank_scope(filled.pk):
        alert = Alert.objects.order_by("-expected_loss")[0]
    decision = {"disposition": "genuine", "reason_code": "customer_confirmed"}
    address = reverse("banks:decide", args=[filled.slug, alert.pk])
    sign_in("ren").post(address, decision)
    answer = sign_in("aiko").post(address, {**decision, "note": "mine"})
    assert answer.status_code == 409
    assert "Ren Sato" in answer.content.decode()


def test_a_customer_calls_about_a_transaction_that_never_alerted(
    filled: Bank, sign_in: SignIn
) -> None:
    analyst = sign_in("aiko")
    found = analyst.get(
        reverse("banks:transactions", args=[filled.slug]), {"id": "sakura-000100"}
    ).content.decode()
    with bank_scope(filled.pk):
        row = Transaction.objects.get(external_id="sakura-000100")
    page = reverse("banks:transaction", args=[filled.slug, row.pk])
    assert page in found
    assert analyst.post(page, {"value": "1", "reason": ""}).status_code == 422
    assert analyst.post(page, {"value": "1", "reason": "customer called"}).status_code == 302
    with bank_scope(filled.pk):
        row.refresh_from_db()
        assert (row.label, LabelEvent.objects.get().source) == (1, "analyst")


def test_search_conditions_hold_together(filled: Bank, sign_in: SignIn) -> None:
    analyst = sign_in("aiko")
    address = reverse("banks:transactions", args=[filled.slug])
    wanted = {"account": "acc-003", "amount_from": "5000", "label": "1", "since": "2026-02-01"}
    answer = analyst.get(address, wanted)
    with bank_scope(filled.pk):
        expected = Transaction.objects.filter(
            account="acc-003", amount__gte=5000, label=1, time__gte="2026-02-01T00:00:00+09:00"
        ).count()
    assert expected
    assert answer.content.count(b'scope="row"') == expected
    assert analyst.get(address, {"amount_from": "lots"}).status_code == 422


def test_a_model_owner_trains_by_a_button(
    filled: Bank, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("banks.wake.for_training", lambda *given: woken.append(given))
    assert (
        sign_in("aiko").post(reverse("banks:start-training", args=[filled.slug])).status_code == 403
    )
    owner = sign_in("yui")
    answer = owner.post(reverse("banks:start-training", args=[filled.slug]))
    assert answer.status_code == 302
    assert len(woken) == 1
    progress = owner.get(answer["Location"] + "progress/")
    assert b"every 2s" in progress.content
    again = owner.post(reverse("banks:start-training", args=[filled.slug]))
    assert again.status_code == 422
    assert b"already under way" in again.content
    owner.post(answer["Location"] + "cancel/")
    assert owner.get(answer["Location"] + "progress/")["HX-Refresh"] == "true"


def test_a_threshold_is_proposed_on_one_page_and_approved_on_another(
    filled: Bank, sign_in: SignIn
) -> None:
    address = reverse("banks:propose-threshold", args=[filled.slug, 1])
    lead, owner = sign_in("ren"), sign_in("yui")
    assert lead.post(address, {"value": "0.5", "reason": ""}).status_code == 422
    assert lead.post(address, {"value": "0.5", "reason": "too many alerts"}).status_code == 302
    assert sign_in("aiko").post(address, {"value": "0.5", "reason": "no"}).status_code == 403
    with bank_scope(filled.pk):
        version = ModelVersion.objects.get()
        change = ThresholdChange.objects.get()
    approval = reverse("banks:threshold-approve", args=[filled.slug, change.pk])
    page = reverse("banks:threshold-changes", args=[filled.slug])
    assert approval not in lead.get(page).content.decode()
    assert approval in owner.get(page).content.decode()
    lead.post(approval)
    with bank_scope(filled.pk):
        assert version.thresholds.first().value != 0.5  # type: ignore[union-attr]
    owner.post(approval)
    with bank_scope(filled.pk):
        assert version.thresholds.first().value == 0.5  # type: ignore[union-attr]
    assert b"too many alerts" in owner.get(page).content


def test_settings_refuse_what_makes_no_sense(bank: Bank, sign_in: SignIn) -> None:
    admin = sign_in("haru")
    address = reverse("banks:settings", args=[bank.slug])
    good = {
        "zone": "Asia/Tokyo",
        "label_delay_days": "10",
        "reviewers": "3",
        "minutes_a_day": "105",
        "minutes_a_review": "3.5",
        "sla_hours": "12",
        "facts_first": "on",
        "blind_share": "0.05",
        "sample_share": "0.001",
        "recoverable_share": "0.4",
        "review_cost": "900",
        "training_cron": "0 3 * * 1",
        "training_enabled": "on",
    }
    for name, bad in (
        ("training_cron", "whenever"),
        ("recoverable_share", "2"),
        ("zone", "Moon/Base"),
        ("label_delay_days", "-1"),
        ("blind_share", "0.5"),
    ):
        assert admin.post(address, {**good, name: bad}).status_code == 422, name
    assert admin.post(address, good).status_code == 302
    with bank_scope(bank.pk):
        row = BankSettings.objects.get()
    assert (row.label_delay_days, row.training_enabled, row.reviews_a_day) == (10, True, 90)
    assert row.next_training_at is not None


def test_pages_need_few_queries(
    filled: Bank, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    auditor = sign_in("sora")
    for address in addresses(filled):
        with django_assert_max_num_queries(45):
            auditor.get(address)


def test_an_unknown_alert_is_404(bank: Bank, sign_in: SignIn) -> None:
    assert (
        sign_in("aiko").get(reverse("banks:alert", args=[bank.slug, uuid.uuid4()])).status_code
        == 404
    )


def test_a_session_that_ends_while_writing_loses_nothing(filled: Bank, sign_in: SignIn) -> None:
    with bank_scope(filled.pk):
        alert = Alert.objects.order_by("-priority")[0]
    browser = Client()
    address = reverse("banks:decide", args=[filled.slug, alert.pk])
    typed = {"disposition": "fraud", "reason_code": "mule", "note": "called twice, no answer"}
    to_sign_in = browser.post(address, typed)
    page = reverse("banks:alert", args=[filled.slug, alert.pk])
    assert to_sign_in["Location"] == f"/accounts/login/?next={page}"
    browser.force_login(make.person("aiko"))
    again = browser.get(page).content.decode()
    assert "You had been signed out" in again
    assert "called twice, no answer" in again
    assert again.count(" checked>") == 2
    with bank_scope(filled.pk):
        assert not Alert.objects.filter(status="decided").exists()
    assert "called twice" not in browser.get(page).content.decode(), "it comes back once"


def test_a_note_of_ten_thousand_characters_is_refused_and_kept(
    filled: Bank, sign_in: SignIn
) -> None:
    with bank_scope(filled.pk):
        alert = Alert.objects.order_by("-priority")[0]
    note = "長い話" * 3334
    address = reverse("banks:decide", args=[filled.slug, alert.pk])
    body = {"disposition": "fraud", "reason_code": "mule", "note": note}
    answer = sign_in("aiko").post(address, body)
    assert answer.status_code == 422
    assert "10002 characters; at most 2000 fit" in answer.content.decode()
    assert note in answer.content.decode()


def test_markup_in_a_merchants_name_is_text(filled: Bank, sign_in: SignIn) -> None:
    with bank_scope(filled.pk):
        alert = Alert.objects.order_by("-priority")[0]
        Transaction.objects.filter(pk=alert.transaction_id).update(
            counterparty="<script>alert(1)</script>"
        )
    analyst = sign_in("aiko")
    for name, further in (("alerts", []), ("alert", [alert.pk]), ("work", [])):
        page = analyst.get(reverse(f"banks:{name}", args=[filled.slug, *further])).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page, name


def test_facts_come_before_the_assessment_unless_the_bank_wants_all_at_once(
    filled: Bank, sign_in: SignIn
) -> None:
    with bank_scope(filled.pk):
        shown_with_score = Alert.objects.filter(blind=False, sample=False)
        alert = shown_with_score.filter(reasons__0__feature__startswith="amount_to_mean")[0]
    page = reverse("banks:alert", args=[filled.slug, alert.pk])
    analyst = sign_in("aiko")
    shown = analyst.get(page).content.decode()
    assert 'id="assessment">' in shown
    assert "past payments with a like score" in shown
    assert "this customer usually" in shown
    assert "Speaks against it" in shown
    with bank_scope(filled.pk):
        BankSettings.objects.update(facts_first=False)
    assert 'id="assessment" open>' in analyst.get(page).content.decode()
