"""Two samples keep the figures honest: served blind, and drawn from below the threshold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from banks import keys
from banks.models import (
    Alert,
    BankSettings,
    Import,
    ImportStatus,
    LabelEvent,
    Transaction,
)
from banks.selectors.samples import blind_comparison, sampled_recall
from banks.services import alerts, batch_scoring, training
from banks.services.samples import Draws
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks import world
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
FRAUD = {"disposition": "fraud", "reason_code": "mule"}
GENUINE = {"disposition": "genuine", "reason_code": "known_pattern"}


def test_scoring_draws_both_and_their_place_tells_nothing(bank: Bank) -> None:
    world.with_history(bank, unlabelled_days=10)
    run = training.request_training(bank=bank, actor=make.actor("yui"))
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        BankSettings.objects.update(blind_share=0.2, sample_share=0.1)
        source = Import.objects.create(bank=bank, file_name="h.csv", status=ImportStatus.DONE)
        Transaction.objects.update(source=source)
    raised = batch_scoring.score_waiting(bank=bank)
    with bank_scope(bank.pk):
        samples = list(Alert.objects.filter(sample=True))
        assert raised == Alert.objects.filter(sample=False).count()
        blind = list(Alert.objects.filter(blind=True))
        open_rows = Transaction.objects.filter(label__isnull=True).count()
    assert blind
    assert 0.05 < len(samples) / open_rows < 0.15
    assert all(one.probability < one.threshold and one.sampling_share == 0.1 for one in samples)
    for one in (*samples, *blind):
        least = one.threshold * one.amount * 0.5
        assert one.priority == one.drawn_loss
        assert least - 1 <= one.priority <= one.amount * 0.5 + 1


def test_only_the_node_s_secret_tells_which_are_drawn(tmp_path: Path) -> None:
    mine, theirs = (Draws(keys.draws(slug)) for slug in ("sakura", "fuji"))
    payments = [Transaction(external_id=f"p-{n}") for n in range(2000)]
    drawn = [draws.is_blind(one, 0.1) for draws in (mine, theirs) for one in payments]
    both = sum(a and b for a, b in zip(drawn[:2000], drawn[2000:], strict=True))
    assert 140 < sum(drawn[:2000]) < 260
    assert both < 50, "one node's draws say nothing about another's"
    assert Draws(keys.draws("sakura")) == mine, "the same payment is drawn whoever scores it"
    kept = tmp_path / "banks" / "sakura" / "keys" / "draws.key"
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (mine.key, 0o600)
    assert [path.name for path in kept.parent.iterdir()] == ["draws.key"]


@pytest.mark.parametrize("kind", [{"blind": True}, {"sample": True, "sampling_share": 0.01}])
def test_what_the_model_said_is_shown_after_the_decision_only(
    bank: Bank, sign_in: SignIn, program: Callable[..., APIClient], kind: dict[str, object]
) -> None:
    with bank_scope(bank.pk):
        alert = an_alert(
            bank, probability=0.7654, expected_loss=7654, drawn_loss=9000, threshold=0.0987, **kind
        )
    analyst = sign_in("aiko")
    page = reverse("banks:alert", args=[bank.slug, alert.pk])
    pages = [
        page,
        reverse("banks:alerts", args=[bank.slug]),
        reverse("banks:work", args=["sakura"]),
    ]
    client = program("aiko", "read", "write")
    base = f"/api/v1/banks/sakura/alerts/{alert.pk}"
    for address in pages:
        shown = analyst.get(address).content.decode()
        assert "76.5%" not in shown
        assert "7,654" not in shown
        assert "9.9%" not in shown
    veiled = client.get(base).data
    assert (veiled["veiled"], veiled["probability"], veiled["reasons"]) == (True, None, [])
    client.post(f"{base}/decide", GENUINE, "json")
    assert client.get(base).data["probability"] == 0.7654
    assert "76.5%" in analyst.get(page).content.decode()


def test_recall_is_estimated_from_the_sample_and_unknown_without_it(
    bank: Bank, analyst: Actor
) -> None:
    with bank_scope(bank.pk):
        above = [an_alert(bank, number) for number in range(1, 9)]
        assert sampled_recall(bank).recall is None
        drawn = [
            an_alert(bank, number, sample=True, sampling_share=0.5, probability=0.01)
            for number in range(9, 13)
        ]
    for one in above[:6]:
        alerts.decide(bank=bank, actor=analyst, alert_id=one.pk, **FRAUD)
    alerts.decide(bank=bank, actor=analyst, alert_id=drawn[0].pk, **FRAUD)
    alerts.decide(bank=bank, actor=analyst, alert_id=drawn[1].pk, **GENUINE)
    with bank_scope(bank.pk):
        found = sampled_recall(bank)
        source = LabelEvent.objects.get(transaction=drawn[0].transaction_id).source
    assert (found.caught, found.undecided, found.drawn, found.judged, found.found) == (
        6,
        2,
        4,
        2,
        1,
    )
    assert found.stands_for == pytest.approx(4.0)
    assert found.recall
    assert found.recall.value == pytest.approx(0.6)
    assert source == "sample"


def test_blind_and_shown_are_compared_only_when_there_is_enough(
    bank: Bank, analyst: Actor, sign_in: SignIn
) -> None:
    facts = {"status": "decided", "decided_by": analyst.user}
    with bank_scope(bank.pk):
        for number in range(1, 61):
            made = an_alert(
                bank, number, blind=number % 2 == 0, **facts, **FRAUD, decided_at=timezone.now()
            )
            if number == 58:
                assert blind_comparison(bank).verdict == ""
        assert made
        found = blind_comparison(bank)
    assert (found.blind.decided, found.shown.decided, found.verdict) == (30, 30, "none")
