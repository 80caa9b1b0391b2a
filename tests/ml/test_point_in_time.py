"""Nothing that happens, or becomes known, after a moment may change a feature before it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banks.ml.features import FeaturePlan, Signal, build_features
from banks.ml.schema import DAY, HOUR
from tests.ml.transactions import START, some_transactions

DAYS = 70
MOMENTS = [20 * DAY, 40 * DAY + 7 * HOUR + 1234, 55 * DAY + 23 * HOUR + 59 * 60_000_000]
ZONES = ["UTC", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe"]


def known_at(plan: FeaturePlan) -> pl.Expr:
    due = pl.col("time") + plan.label_delay_days * DAY
    return pl.max_horizontal(due, pl.col("label_known_at").fill_null(0))


def another_future(frame: pl.DataFrame, moment: int, plan: FeaturePlan, seed: int) -> pl.DataFrame:
    """Change all that is not settled at ``moment``: later payments, and labels not yet known."""
    random = np.random.default_rng(seed)
    size = len(frame)
    later = pl.col("time") > moment
    open_label = known_at(plan) > moment

    def column(values: np.ndarray) -> pl.Expr:
        return pl.lit(pl.Series(values))

    new_known = column(moment + random.integers(1, 40 * DAY, size))
    changed = frame.with_columns(
        label=pl.when(open_label)
        .then(column(random.integers(0, 2, size)).cast(pl.Int8))
        .otherwise("label"),
        label_known_at=pl.when(open_label).then(new_known).otherwise("label_known_at"),
        amount=pl.when(later).then(column(random.integers(0, 10**14, size))).otherwise("amount"),
        account=pl.when(later).then(pl.lit("a1")).otherwise("account"),
        counterparty=pl.when(later).then(pl.lit("c2")).otherwise("counterparty"),
        first_stage=pl.when(later).then(column(random.random(size))).otherwise("first_stage"),
        time=pl.when(later)
        .then(moment + 1 + column(random.integers(0, 3 * DAY, size)))
        .otherwise("time"),
    )
    more = changed.filter(later).with_columns(id=pl.col("id") + "x")
    return pl.concat([more, changed]).sample(fraction=1.0, shuffle=True, seed=seed)


def assert_past_unmoved(frame: pl.DataFrame, moment: int, plan: FeaturePlan, seed: int = 7) -> None:
    other = another_future(frame, moment, plan, seed)
    settled = frame.filter(pl.col("time") <= moment)["id"].implode()
    before = build_features(frame, plan).filter(pl.col("id").is_in(settled)).sort("id")
    after = build_features(other, plan).filter(pl.col("id").is_in(settled)).sort("id")
    for name in before.columns[1:]:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hours", [1, 6, 24])
def test_another_future_leaves_the_past_unmoved(moment, zone, hours):
    plan = FeaturePlan(bucket_hours=hours, zone=zone, first_stage="v1")
    frame = some_transactions(1500, days=DAYS, start=17_595 * DAY)
    assert_past_unmoved(frame, 17_595 * DAY + moment, plan)


@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10**6),
    moment=st.integers(0, DAYS * DAY),
    hours=st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
    delay=st.integers(0, 20),
    zone=st.sampled_from(ZONES),
)
def test_no_moment_at_all_lets_the_future_through(seed, moment, hours, delay, zone):
    plan = FeaturePlan(bucket_hours=hours, zone=zone, label_delay_days=delay, first_stage="v1")
    frame = some_transactions(300, days=DAYS, accounts=4, counterparties=3, seed=seed)
    assert_past_unmoved(frame, START + moment, plan, seed)


CLOCKS_GO_BACK = {  # 2018, in UTC; Lord Howe by half an hour, Havana from 1:00 to midnight
    "Europe/Berlin": 17_832 * DAY + HOUR,
    "Australia/Lord_Howe": 17_621 * DAY + 15 * HOUR,
    "America/Havana": 17_839 * DAY + 5 * HOUR,
}


@pytest.mark.parametrize("zone", CLOCKS_GO_BACK)
def test_an_hour_that_comes_twice_leaks_nothing(zone):
    change = CLOCKS_GO_BACK[zone]
    plan = FeaturePlan(bucket_hours=1, label_delay_days=0, zone=zone, first_stage="v1")
    frame = some_transactions(1500, days=2, counterparties=2, start=change - DAY)
    for minutes in range(-120, 121, 10):
        assert_past_unmoved(frame, change + minutes * HOUR // 60, plan)


def test_the_joint_view_knows_no_future_either():
    plan = FeaturePlan(bucket_hours=6, first_stage="v1")
    frame = some_transactions(2000, days=DAYS, accounts=20)
    moment = START + 45 * DAY + 5 * HOUR
    other = another_future(frame, moment, plan, seed=3)
    own = pl.col("account").is_in(["a1", "a2", "a3"]) & (pl.col("time") <= moment)
    before = build_features(frame.filter(own), plan, Signal.of_frame(frame, plan)).sort("id")
    after = build_features(other.filter(own), plan, Signal.of_frame(other, plan)).sort("id")
    assert len(before) > 100
    np.testing.assert_array_equal(before.drop("id").to_numpy(), after.drop("id").to_numpy())
