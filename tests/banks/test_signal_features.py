"""What other banks know reaches the features, in a table and for one payment alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banks.ml import courses
from banks.ml.features import FeaturePlan, Signal, build_features, feature_names
from banks.ml.first_stage import plan_below
from banks.ml.risk_signal import OpenedSums, Span, Terms
from banks.models import SignalOpening, Transaction
from banks.services import datasets, first_stages, lookback
from banks.services.signal import joint, openings
from consortium.accounts.models import Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests import make
from tests.banks import signalling, world

pytestmark = pytest.mark.django_db
PLAN = FeaturePlan(joint=True, amount_unit=1)
TERMS = Terms(slots=1 << 12, cap=10_000, amount_unit=1)


@pytest.fixture
def banks(bank: Bank) -> list[Bank]:
    made = [bank, *(make.bank(slug) for slug in ("fuji", "ume", "momo"))]
    for place, one in enumerate(made):
        world.with_history(one, rows=1200, seed=place)
    return made


@pytest.fixture
def told(banks: list[Bank]) -> OpenedSums:
    """Sums over the first 100 of 110 days, which the first bank was told."""
    first = world.START.date().toordinal() - 719_163
    frames = [datasets.frame(one) for one in banks]
    sums = signalling.opened_sums(frames, PLAN, TERMS, Span(first, first + 100, 1))
    signalling.tell(banks[0], sums)
    return sums


def features(bank: Bank, plan: FeaturePlan) -> np.ndarray:
    frame = datasets.frame(bank)
    table = build_features(frame, plan, joint.signal_for(bank, frame, plan))
    return table.select(feature_names(plan)).to_numpy()


def test_a_bank_sees_what_all_banks_know(banks: list[Bank], told: OpenedSums) -> None:
    frames = [datasets.frame(one) for one in banks]
    whole = Signal.total([Signal.of_frame(frame, PLAN) for frame in frames])
    expected = build_features(frames[0], PLAN, whole).select(feature_names(PLAN)).to_numpy()
    early = frames[0]["time"].to_numpy() < int((world.START.timestamp() + 100 * 86400) * 1e6)
    np.testing.assert_array_equal(features(banks[0], PLAN)[early], expected[early])


def test_a_plan_of_the_own_view_takes_no_notice(banks: list[Bank], told: OpenedSums) -> None:
    own = replace(PLAN, joint=False)
    frame = datasets.frame(banks[0])
    expected = build_features(frame, own).select(feature_names(own)).to_numpy()
    np.testing.assert_array_equal(features(banks[0], own), expected)


def test_a_bank_that_was_told_nothing_goes_on_with_its_own_view(banks: list[Bank]) -> None:
    frame = datasets.frame(banks[1])
    expected = build_features(frame, PLAN).select(feature_names(PLAN)).to_numpy()
    np.testing.assert_array_equal(features(banks[1], PLAN), expected)


def test_other_buckets_than_the_plans_are_not_mixed_in(banks: list[Bank], told: OpenedSums) -> None:
    with bank_scope(banks[0].pk):
        assert openings.heard(banks[0], PLAN)
        assert not openings.heard(banks[0], replace(PLAN, bucket_hours=6))


def test_one_payment_sees_the_same_as_the_table(banks: list[Bank], told: OpenedSums) -> None:
    table = features(banks[0], PLAN)
    frame = datasets.frame(banks[0])
    with bank_scope(banks[0].pk):
        for place in [0, 300, 700, 1100, len(table) - 1]:
            row = Transaction.objects.get(pk=frame["key"][place])
            alone = lookback.features_of(row)(PLAN)
            np.testing.assert_array_equal(alone, table[place], err_msg=str(place))


def test_unexplained_frauds_of_other_banks_count_under_their_own_first_stage(
    banks: list[Bank],
) -> None:
    below = datasets.prepare(banks[0], datasets.recipe_for(banks[0], plan=plan_below(PLAN)))
    own = courses.Own(below.train, below.validation, seed=1)
    made = courses.learn_first_stage(courses.first_stage_course(PLAN), [own])
    version = {first_stages.keep(one, made) for one in banks}.pop()
    plan = replace(PLAN, first_stage=version)
    frames = [first_stages.scored(one, datasets.frame(one), plan) for one in banks]
    first = world.START.date().toordinal() - 719_163
    terms = replace(TERMS, first_stage=version)
    sums = signalling.opened_sums(frames, plan, terms, Span(first, first + 100, 1))
    signalling.tell(banks[0], sums)
    signal = joint.signal_for(banks[0], frames[0], plan)
    table = build_features(frames[0], plan, signal).select(feature_names(plan)).to_numpy()
    whole = Signal.total([Signal.of_frame(frame, plan) for frame in frames])
    expected = build_features(frames[0], plan, whole).select(feature_names(plan)).to_numpy()
    early = frames[0]["time"].to_numpy() < int((world.START.timestamp() + 100 * 86400) * 1e6)
    np.testing.assert_array_equal(table[early], expected[early])
    with bank_scope(banks[0].pk):
        for place in [300, 700, 1100]:
            row = Transaction.objects.get(pk=frames[0]["key"][place])
            alone = lookback.features_of(row)(plan)
            np.testing.assert_array_equal(alone, table[place], err_msg=str(place))
        assert {h.terms.first_stage for h in openings.heard(banks[0], plan)} == {version}
        other = replace(plan, first_stage="another")
        assert {h.terms.first_stage for h in openings.heard(banks[0], other)} == {""}


def test_what_was_prepared_before_is_made_anew_when_more_was_told(banks: list[Bank]) -> None:
    recipe = datasets.recipe_for(banks[0], plan=PLAN)
    before = datasets.prepare(banks[0], recipe)
    first = world.START.date().toordinal() - 719_163
    frames = [datasets.frame(one) for one in banks]
    span = Span(first, first + 100, 1)
    signalling.tell(banks[0], signalling.opened_sums(frames, PLAN, TERMS, span))
    after = datasets.prepare(banks[0], recipe)
    count = feature_names(PLAN).index("counterparty_count_30d")
    assert after.test.X[:, count].mean() > 2 * before.test.X[:, count].mean()


def test_changed_sums_are_refused(banks: list[Bank], told: OpenedSums) -> None:
    openings._heard.cache_clear()
    with bank_scope(banks[0].pk):
        SignalOpening.objects.update(content=told.to_bytes()[:-1] + b"\1")
        with pytest.raises(Refused, match="not those"):
            openings.heard(banks[0], PLAN)
