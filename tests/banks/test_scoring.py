"""Scores and alerts: files in a batch, single transactions at once, both with the same figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from banks.ml.features import build_features, feature_names
from banks.models import (
    Alert,
    AlertEvent,
    BankSettings,
    Import,
    ImportStatus,
    Score,
    Threshold,
    Transaction,
)
from banks.services import batch_scoring, datasets, lookback, scoring, training
from banks.services.scoring import NewTransaction
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks import world

pytestmark = pytest.mark.django_db
LATEST = world.START + timedelta(days=world.DAYS)


@pytest.fixture
def scoring_bank(bank: Bank, owner: Actor) -> Bank:
    """A bank with a version in use, and an import whose last ten days nobody has labelled."""
    world.with_history(bank, unlabelled_days=10)
    run = training.request_training(bank=bank, actor=owner)
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        BankSettings.objects.update(blind_share=0, sample_share=0)  # no draw by a node's secret
        Transaction.objects.update(
            source=Import.objects.create(
                bank=bank, file_name="history.csv", status=ImportStatus.DONE
            )
        )
    return bank


def a_payment(number: int = 1, **changes: object) -> NewTransaction:
    facts: dict[str, object] = {
        "id": f"new-{number}",
        "time": LATEST + timedelta(minutes=number),
        "amount": 3000,
        "account": "acc-001",
        "counterparty": "shop-03",
        "channel": "card",
    }
    return NewTransaction(**{**facts, **changes})  # type: ignore[arg-type]


def a_fraud(number: int = 1) -> NewTransaction:
    return a_payment(number, amount=60_000, counterparty="shop-99")


def score(bank: Bank, *payments: NewTransaction) -> list[scoring.Scored]:
    with bank_scope(bank.pk):
        return scoring.score_transactions(bank=bank, transactions=payments)


def test_a_file_is_scored_once_and_only_where_nobody_knows_the_answer(scoring_bank: Bank) -> None:
    raised = batch_scoring.score_waiting(bank=scoring_bank)
    assert raised > 0
    assert batch_scoring.score_waiting(bank=scoring_bank) == 0
    with bank_scope(scoring_bank.pk):
        assert Score.objects.count() == Transaction.objects.filter(label=None).count()
        assert not Score.objects.filter(transaction__label__isnull=False).exists()
        assert Alert.objects.count() == raised
        assert AlertEvent.objects.filter(kind="raised").count() == raised
        assert all(alert.probability >= alert.threshold for alert in Alert.objects.all())


def test_one_transaction_has_the_same_features_as_in_the_table(scoring_bank: Bank) -> None:
    recipe = datasets.recipe_for(scoring_bank)
    table = datasets.frame(scoring_bank)
    features = build_features(table, recipe.plan).select(feature_names(recipe.plan)).to_numpy()
    with bank_scope(scoring_bank.pk):
        for place in [0, 1, 700, 2500, len(table) - 1]:
            row = Transaction.objects.get(pk=table["key"][place])
            alone = lookback.features_of(row)(recipe.plan)
            np.testing.assert_array_equal(alone, features[place], err_msg=str(place))


def test_a_suspicious_payment_raises_an_alert_with_reasons(scoring_bank: Bank) -> None:
    [scored] = score(scoring_bank, a_fraud())
    assert scored.alert is not None
    assert scored.alert.expected_loss == round(scored.score.probability * 60_000 * 0.5)
    assert 5 <= len(scored.alert.reasons) <= 7
    assert scored.alert.features


def test_an_ordinary_payment_raises_none(scoring_bank: Bank) -> None:
    with bank_scope(scoring_bank.pk):
        usual = Transaction.objects.filter(account="acc-001", label=0).order_by("-time")[0]
    payment = a_payment(amount=usual.amount)
    [scored] = score(scoring_bank, payment)
    assert scored.alert is None
    assert scored.score.probability < scored.threshold


def test_the_same_transaction_again_gets_the_same_answer(scoring_bank: Bank) -> None:
    [first] = score(scoring_bank, a_fraud())
    [again] = score(scoring_bank, a_fraud())
    assert again.score == first.score
    assert again.alert == first.alert
    with bank_scope(scoring_bank.pk):
        assert Transaction.objects.filter(external_id="new-1").count() == 1


def test_an_id_with_other_content_is_refused_and_changes_nothing(scoring_bank: Bank) -> None:
    score(scoring_bank, a_payment())
    with pytest.raises(scoring.Conflict):
        score(scoring_bank, a_payment(2), a_payment(1, amount=1))
    with bank_scope(scoring_bank.pk):
        assert not Transaction.objects.filter(external_id="new-2").exists()


def test_a_new_threshold_counts_from_the_next_payment_on(scoring_bank: Bank) -> None:
    [before] = score(scoring_bank, a_payment())
    assert before.alert is None
    with bank_scope(scoring_bank.pk):
        Threshold.objects.create(bank=scoring_bank, version=before.score.version, value=0)
    [after] = score(scoring_bank, a_payment(2))
    assert after.alert is not None
    assert after.threshold == 0


def test_a_program_gets_its_answer_with_few_questions_to_the_database(
    scoring_bank: Bank, program: Any, django_assert_max_num_queries: Any
) -> None:
    client = program("aiko", "score")

    def ask(number: int) -> Any:
        payment = {"id": f"p-{number}", "time": LATEST.isoformat(), "amount": 1200}
        return client.post("/api/v1/banks/sakura/score", {"transactions": [payment]}, format="json")

    assert ask(1).status_code == 200  # reads the model, notes the token's use
    with django_assert_max_num_queries(12):
        [scored] = ask(2).json()["results"]
    assert scored["alert"] is None


def test_before_the_first_model_nothing_is_stored(bank: Bank) -> None:
    with pytest.raises(Refused) as refused:
        score(bank, a_payment())
    assert refused.value.code == "no_model"
    with bank_scope(bank.pk):
        assert not Transaction.objects.exists()


def test_more_than_a_hundred_at_once_are_refused(scoring_bank: Bank) -> None:
    with pytest.raises(Refused):
        score(scoring_bank, *(a_payment(number) for number in range(101)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time": "2026-05-31T14:05:00"}, "time"),
        ({"time": "2926-05-31T14:05:00Z"}, "time"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**18}, "amount"),
        ({"currency": "yen"}, "currency"),
        ({"extra": {"v1": "inf"}}, "extra"),
        ({"id": "x" * 81}, "id"),
    ],
)
def test_a_payment_that_makes_no_sense_is_refused_at_its_field(
    bank: Bank, program: Any, change: dict[str, Any], field: str
) -> None:
    payment = {"id": "p-1", "time": "2026-05-31T14:05:00+09:00", "amount": 1200, **change}
    answer = program("aiko", "score").post(
        "/api/v1/banks/sakura/score", {"transactions": [payment]}, format="json"
    )
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]["transactions"]["0"]
    with bank_scope(bank.pk):
        assert not Transaction.objects.exists()
