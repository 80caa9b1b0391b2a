"""What a page can do, a program can do; and only what its person may."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from banks.models import Alert, BankSettings, ImportStatus, Transaction
from banks.services import training
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks import world
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db
Program = Callable[..., APIClient]
BASE = "/api/v1/banks/sakura"


@pytest.fixture
def trained(bank: Bank) -> Bank:
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=make.actor("yui"))
    training.run_training(bank=bank, run_id=run.pk)
    return bank


def a_payment(number: int = 1, **changes: Any) -> dict[str, Any]:
    facts = {
        "id": f"p-{number}",
        "time": (world.START + timedelta(days=world.DAYS, minutes=number)).isoformat(),
        "amount": 60_000,
        "account": "acc-001",
        "counterparty": "shop-99",
    }
    return {**facts, **changes}


class TestScoring:
    def test_a_payment_is_scored_stored_and_alerted_once(
        self, trained: Bank, program: Program
    ) -> None:
        client = program("aiko", "score")
        first = client.post(f"{BASE}/score", {"transactions": [a_payment()]}, format="json")
        assert first.status_code == 200, first.data
        [result] = first.data["results"]
        assert result["probability"] >= result["threshold"]
        assert result["alert"]
        assert 5 <= len(result["reasons"]) <= 7
        again = client.post(f"{BASE}/score", {"transactions": [a_payment()]}, format="json")
        assert again.data == first.data
        with bank_scope(trained.pk):
            assert Transaction.objects.filter(external_id="p-1").count() == 1
            assert Alert.objects.count() == 1

    def test_other_content_under_the_same_id_is_a_conflict(
        self, trained: Bank, program: Program
    ) -> None:
        client = program("aiko", "score")
        client.post(f"{BASE}/score", {"transactions": [a_payment()]}, format="json")
        answer = client.post(
            f"{BASE}/score", {"transactions": [a_payment(amount=1)]}, format="json"
        )
        assert answer.status_code == 409
        assert answer.data["code"] == "id_conflict"

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": -1},
            {"amount": "NaN"},
            {"amount": 10**15},
            {"time": "2026-05-01T10:00:00"},
            {"time": "yesterday"},
            {"time": (timezone.now() + timedelta(days=3)).isoformat()},
            {"id": "x" * 81},
            {"currency": "yen"},
        ],
    )
    def test_bad_input_gets_a_sentence_and_stores_nothing(
        self, trained: Bank, program: Program, change: dict[str, Any]
    ) -> None:
        answer = program("aiko", "score").post(
            f"{BASE}/score", {"transactions": [a_payment(2), a_payment(**change)]}, format="json"
        )
        assert answer.status_code == 400
        assert answer.data["fields"]
        with bank_scope(trained.pk):
            assert not Transaction.objects.filter(external_id__startswith="p-").exists()

    def test_a_token_without_the_scope_may_not_score(self, trained: Bank, program: Program) -> None:
        answer = program("aiko", "read", "write").post(
            f"{BASE}/score", {"transactions": [a_payment()]}, format="json"
        )
        assert answer.status_code == 403


class TestAlerts:
    def test_a_program_decides_as_its_person_would(self, bank: Bank, program: Program) -> None:
        with bank_scope(bank.pk):
            alert = an_alert(bank)
        client = program("aiko", "read", "write")
        assert client.post(f"{BASE}/alerts/next").data["status"] == "claimed"
        refused = client.post(f"{BASE}/alerts/{alert.pk}/decide", {"disposition": "fraud"})
        assert refused.status_code == 415 or refused.status_code == 400
        decided = client.post(
            f"{BASE}/alerts/{alert.pk}/decide",
            {"disposition": "fraud", "reason_code": "phishing"},
            format="json",
        )
        assert decided.data["disposition"] == "fraud"
        again = client.post(
            f"{BASE}/alerts/{alert.pk}/decide",
            {"disposition": "genuine", "reason_code": "known_pattern"},
            format="json",
        )
        assert again.status_code == 409
        assert "Aiko Mori decided" in again.data["message"]
        kinds = [event["kind"] for event in client.get(f"{BASE}/alerts/{alert.pk}/history").data]
        assert kinds == ["claimed", "decided"]

    def test_a_stranger_and_another_banks_ids_get_404(self, bank: Bank, program: Program) -> None:
        with bank_scope(bank.pk):
            alert = an_alert(bank)
        stranger = program("kenta", "read", "write")
        assert stranger.get(f"{BASE}/alerts").status_code == 404
        for act in ("", "/claim", "/decide", "/comment"):
            address = f"/api/v1/banks/fuji/alerts/{alert.pk}{act}"
            answer = stranger.get(address) if not act else stranger.post(address, {}, format="json")
            assert answer.status_code == 404, act
        with bank_scope(bank.pk):
            assert Alert.objects.get().status == "open"

    def test_a_reading_token_decides_nothing(self, bank: Bank, program: Program) -> None:
        with bank_scope(bank.pk):
            alert = an_alert(bank)
        answer = program("aiko", "read").post(f"{BASE}/alerts/{alert.pk}/claim")
        assert answer.status_code == 403


def test_figures_by_api_are_those_of_the_page(trained: Bank, program: Program) -> None:
    client = program("yui", "read", "write")
    [version] = client.get(f"{BASE}/versions").data
    figures = client.get(f"{BASE}/versions/{version['pk']}/figures?cut=300").data
    assert figures["frauds"] == figures["confusion"]["tp"] + figures["confusion"]["fn"]
    assert client.get(f"{BASE}/performance").data[0]["in_use"] is True
    address = f"{BASE}/versions/{version['pk']}"
    proposal = {"value": 0.4, "reason": "fewer false alarms"}
    proposed = client.post(f"{address}/threshold", proposal, format="json")
    assert proposed.status_code == 201
    approval = f"{BASE}/threshold-changes/{proposed.data['pk']}/approve"
    assert client.post(approval, format="json").data["code"] == "own_proposal"
    lead = program("ren", "read", "write")
    assert lead.post(approval, format="json").data["status"] == "in_force"
    assert client.get(f"{address}/thresholds").data[0]["value"] == 0.4
    assert client.get(f"{BASE}/threshold-changes").data[0]["status"] == "in_force"
    assert lead.post(f"{address}/threshold/roll-back", format="json").status_code == 201
    assert client.get(f"{address}/thresholds").data[0]["method"] == "rolled_back"
    studio = client.get(f"{address}/studio?cut=300&prevalence=0.1").data
    assert studio["confusion"] == figures["confusion"]
    rows = lead.get(f"{address}/rows?cell=tp&cut=300").data
    assert rows["total"] == figures["confusion"]["tp"]


def test_settings_change_by_api_and_refuse_nonsense(bank: Bank, program: Program) -> None:
    client = program("haru", "read", "write")
    good = client.post(f"{BASE}/settings/change", {"reviews_a_day": 50}, format="json")
    assert good.data["reviews_a_day"] == 50
    bad = client.post(f"{BASE}/settings/change", {"training_cron": "never"}, format="json")
    assert bad.status_code == 422
    assert "training_cron" in bad.data["fields"]
    with bank_scope(bank.pk):
        assert BankSettings.objects.get().reviews_a_day == 50


def test_a_file_comes_in_by_api(
    bank: Bank, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from banks.services import imports

    monkeypatch.setattr("banks.wake.for_import", lambda *given: None)
    client = program("haru", "read", "write")
    lines = ["id,time,account,amount,label"]
    lines += [
        f"t{n},2026-01-{1 + n % 28:02d}T10:00:00Z,acc-{n % 5},{n}.50,{n % 9 == 0:d}"
        for n in range(60)
    ]
    file = SimpleUploadedFile("small.csv", "\n".join(lines).encode())
    columns = {name: name for name in ("id", "time", "account", "amount", "label")}
    mapping = json.dumps({"columns": columns})
    made = client.post(f"{BASE}/imports/upload", {"file": file, "mapping": mapping})
    assert made.status_code == 201, made.data
    imports.run_import(bank=bank, import_id=made.data["pk"])
    done = client.get(f"{BASE}/imports/{made.data['pk']}").data
    assert (done["status"], done["rows_imported"]) == (ImportStatus.DONE, 60)
    found = client.get(f"{BASE}/imports").data
    assert len(found) == 1
