"""A past carried forward gives the same features, bit by bit, whatever changes it afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from banks.ml import courses
from banks.ml.features import FeaturePlan, build_features, feature_names
from banks.ml.features.plan import NEW
from banks.ml.first_stage import plan_below
from banks.models import BankSettings, CarriedPast, Carry, ModelVersion, Transaction
from banks.services import carrying, datasets, first_stages, labels, lookback, stale_pasts
from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from tests.banks import world

pytestmark = pytest.mark.django_db
UNTIL = world.START + timedelta(days=world.DAYS - 5)
PLAN = FeaturePlan(zone="Asia/Tokyo", bucket_hours=6)


@pytest.fixture(params=["", NEW])
def plan(request: pytest.FixtureRequest, bank: Bank) -> FeaturePlan:
    """Without a first stage, and with one."""
    world.with_history(bank)
    if not request.param:
        return PLAN
    below = datasets.prepare(bank, datasets.recipe_for(bank, plan=plan_below(PLAN)))
    own = courses.Own(below.train, below.validation, seed=1)
    first = courses.learn_first_stage(courses.first_stage_course(PLAN), [own])
    return replace(PLAN, first_stage=first_stages.keep(bank, first))


@pytest.fixture
def carried_bank(bank: Bank, plan: FeaturePlan) -> Bank:
    """Scores by the plan; its past is carried until five days before its last payment."""
    with bank_scope(bank.pk):
        version = ModelVersion.objects.create(
            bank=bank, number=1, origin="alone", family="mlp", feature_plan=plan.to_json()
        )
        BankSettings.objects.update(scoring_version=version)
    assert carrying.carry_forward(bank=bank, until=UNTIL) == world.ACCOUNTS + 31
    return bank


def assert_same_as_the_table(bank: Bank, plan: FeaturePlan) -> None:
    """Every twentieth payment since the carrying, and a few from before it."""
    table = first_stages.scored(bank, datasets.frame(bank), plan)
    features = build_features(table, plan).select(feature_names(plan)).to_numpy()
    since = table.select(pl.col("time") >= lookback.microseconds(UNTIL)).to_series().arg_true()
    with bank_scope(bank.pk):
        for place in [0, 1500, *since[::20], len(table) - 1]:
            row = Transaction.objects.get(pk=table["key"][place])
            alone = lookback.features_of(row)(plan)
            np.testing.assert_array_equal(alone, features[place], err_msg=str(place))


def late_payment(bank: Bank, **changes: object) -> Transaction:
    """A payment that comes after the carrying although it happened before."""
    facts = {"time": UNTIL - timedelta(hours=3), "account": "acc-001", "counterparty": "shop-03"}
    with bank_scope(bank.pk):
        payment = Transaction.objects.create(
            bank=bank, external_id="late", **({"amount": 9_999} | facts | changes)
        )
        stale_pasts.note_transactions(bank, [payment.pk])
    return payment


def stale(bank: Bank) -> set[str]:
    with bank_scope(bank.pk):
        return set(CarriedPast.objects.filter(content=None).values_list("name", flat=True))


def test_what_is_carried_replaces_reading_it_again(carried_bank: Bank, plan: FeaturePlan) -> None:
    assert_same_as_the_table(carried_bank, plan)
    with bank_scope(carried_bank.pk):
        Transaction.objects.filter(time__lt=UNTIL).update(amount=1)  # past all noting
        last = Transaction.objects.latest("time")
        seen = lookback.features_of(last)(plan)
    assert seen[feature_names(plan).index("account_mean_all")] > 1


def test_a_late_payment_counts(carried_bank: Bank, plan: FeaturePlan) -> None:
    late_payment(carried_bank)
    assert stale(carried_bank) >= {"acc-001", "shop-03"}
    assert_same_as_the_table(carried_bank, plan)


def test_a_label_that_came_later_counts(
    carried_bank: Bank, plan: FeaturePlan, analyst: Actor
) -> None:
    with bank_scope(carried_bank.pk):
        payment = Transaction.objects.filter(label=0, counterparty="shop-03", time__lt=UNTIL)[3]
    labels.label_transaction(
        bank=carried_bank, actor=analyst, transaction_id=payment.pk, value=1, reason="called"
    )
    assert_same_as_the_table(carried_bank, plan)


def test_frauds_of_an_account_are_explained_anew_when_its_past_changes(
    carried_bank: Bank, plan: FeaturePlan
) -> None:
    with bank_scope(carried_bank.pk):
        frauds = Transaction.objects.filter(label=1, time__lt=UNTIL - timedelta(days=20))
        fraud = frauds.latest("time")
        shop = f"shop-{(int(fraud.counterparty[-2:]) + 1) % 30:02d}"
    late_payment(
        carried_bank,
        account=fraud.account,
        counterparty=shop,
        amount=fraud.amount * 3,
        time=fraud.time - timedelta(hours=1),
    )
    assert (fraud.counterparty in stale(carried_bank)) or not plan.first_stage
    assert_same_as_the_table(carried_bank, plan)


def test_a_change_while_the_past_is_carried_counts(
    carried_bank: Bank, plan: FeaturePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = datasets.frame

    def read_before_the_change(bank: Bank) -> pl.DataFrame:
        found = read(bank)
        late_payment(bank)
        return found

    monkeypatch.setattr(datasets, "frame", read_before_the_change)
    carrying.carry_forward(bank=carried_bank, until=UNTIL)
    monkeypatch.undo()
    assert stale(carried_bank) >= {"acc-001", "shop-03"}
    assert_same_as_the_table(carried_bank, plan)


def test_it_is_due_once_a_day_and_after_many_changes(
    carried_bank: Bank, plan: FeaturePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carrying.due(carried_bank)
    carrying.carry_forward(bank=carried_bank)
    assert not carrying.due(carried_bank)
    with bank_scope(carried_bank.pk):
        assert Carry.objects.count() == 1
    late_payment(carried_bank)
    monkeypatch.setattr(carrying, "MOST_STALE", 1)
    assert carrying.due(carried_bank)


def test_before_the_first_model_nothing_is_due(bank: Bank) -> None:
    assert not carrying.due(bank)
