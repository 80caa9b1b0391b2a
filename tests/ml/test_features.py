import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from banks.ml.features import FeaturePlan, Signal, build_features, feature_names
from banks.ml.schema import DAY, HOUR, MAX_TIME
from consortium.protocol.errors import Refused
from tests.ml.reference import expected_features
from tests.ml.transactions import START, some_transactions

PLANS = {
    "daily": FeaturePlan(),
    "six hours": FeaturePlan(bucket_hours=6, first_stage="v1"),
    "late labels, summer time": FeaturePlan(
        bucket_hours=4, zone="Europe/Berlin", first_stage="v1", label_delay_days=3
    ),
    "no delay": FeaturePlan(label_delay_days=0, zone="Asia/Tokyo", amount_unit=1),
}
SUMMER_TIME = 17_600 * DAY  # twelve days before and more after 2018-03-25


def matrix(table: pl.DataFrame) -> np.ndarray:
    return table.drop("id").to_numpy()


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_feature_is_what_its_definition_says(plan, seed):
    frame = some_transactions(400, seed=seed, start=SUMMER_TIME)
    table = build_features(frame, plan)
    rows = frame.to_dicts()
    assert tuple(table.columns[1:]) == feature_names(plan)
    assert table["id"].to_list() == frame["id"].to_list()
    for index in range(len(rows)):
        expected = expected_features(rows, index, plan)
        for name in feature_names(plan):
            tolerance = 2e-3 if "log_amount" in name else 1e-5
            np.testing.assert_allclose(
                table[name][index], np.float32(expected[name]), tolerance, 2e-4, err_msg=name
            )


def test_the_order_of_the_rows_changes_nothing():
    frame = some_transactions(600)
    plan = FeaturePlan(first_stage="v1")
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    assert build_features(shuffled, plan).sort("id").equals(build_features(frame, plan).sort("id"))


def test_payments_of_the_same_moment_do_not_see_each_other():
    frame = some_transactions(1).with_columns(account=pl.lit("a"), counterparty=pl.lit("c"))
    twice = pl.concat(
        [frame, frame.with_columns(id=pl.lit("again"), amount=pl.lit(10**6, pl.Int64))]
    )
    table = build_features(twice, FeaturePlan())
    assert table["account_count_30d"].to_list() == [0, 0]
    assert table["hours_since_previous"].is_nan().all()
    assert table["counterparty_count_1d"].to_list() == [0, 0]


def test_a_window_holds_its_oldest_moment_and_not_the_present():
    row = some_transactions(1).with_columns(account=pl.lit("a"), label=pl.lit(1, pl.Int8))
    moments = [START, START + DAY, START + 7 * DAY, START + 14 * DAY]
    frame = pl.concat(
        [
            row.with_columns(
                id=pl.lit(str(t)), time=pl.lit(t), label_known_at=pl.lit(None, pl.Int64)
            )
            for t in moments
        ]
    )
    table = build_features(frame, FeaturePlan())
    assert table["account_count_1d"].to_list() == [0, 1, 0, 0]
    assert table["account_count_7d"].to_list() == [0, 1, 2, 1]
    # known seven days after the payment, and only to what comes later than that
    assert table["account_known_frauds_7d"].to_list() == [0, 0, 0, 2]


def test_every_feature_is_float32_and_missing_is_nan():
    table = build_features(some_transactions(300), FeaturePlan(first_stage="v1"))
    assert set(table.dtypes[1:]) == {pl.Float32}
    assert sum(table.null_count().row(0)) == 0


def test_an_amount_of_a_billion_thousands_stays_exact():
    """10^12 in units: squares leave 63 bits, and the next payments' features stay finite."""
    frame = some_transactions(400, accounts=2).with_columns(
        amount=pl.when(pl.int_range(pl.len()) % 7 == 0).then(10**14).otherwise("amount")
    )
    plan = FeaturePlan()
    rows, table = frame.to_dicts(), build_features(frame, plan)
    assert table.drop("id").select(pl.all().is_infinite().any()).row(0).count(True) == 0
    for index in range(0, len(rows), 5):
        expected = expected_features(rows, index, plan)["account_std_30d"]
        np.testing.assert_allclose(table["account_std_30d"][index], expected, 1e-4)


def test_refunds_are_negative_payments():
    frame = some_transactions(300).with_columns(amount=-pl.col("amount"))
    rows, table = frame.to_dicts(), build_features(frame, FeaturePlan())
    assert table["log_amount"].max() < 0
    for index in range(0, len(rows), 10):
        expected = expected_features(rows, index, FeaturePlan())
        for name in ("account_max_7d", "amount_z_30d", "amount_to_max_7d"):
            np.testing.assert_allclose(table[name][index], expected[name], 1e-4, 1e-4)


def test_a_jump_of_the_clock_reaches_no_other_row():
    """Years apart times many accounts no longer fit one sorted integer; the answers stay."""
    frame = some_transactions(400, accounts=300)
    jumped = frame.with_columns(
        time=pl.when(pl.int_range(pl.len()) == 5).then(MAX_TIME).otherwise("time")
    )
    few = build_features(frame.filter(pl.col("id") != "t5"), FeaturePlan())
    # As many idle accounts as it takes to make (account, time) overflow.
    idle = jumped.head(1).select(pl.all().repeat_by(3000).explode())
    idle = idle.with_columns(
        id=pl.lit("idle"),
        account="z" + pl.int_range(pl.len()).cast(pl.Utf8),
        counterparty=pl.lit(None, pl.Utf8),
        time=pl.lit(0, pl.Int64),
    )
    many = build_features(pl.concat([jumped, idle]), FeaturePlan())
    assert many.filter(~pl.col("id").is_in(["t5", "idle"])).equals(few)


def test_counterparties_seen_for_the_first_time_start_from_the_prior():
    frame = some_transactions(50, counterparties=1).with_columns(
        counterparty=pl.int_range(pl.len()).cast(pl.Utf8)
    )
    table = build_features(frame, FeaturePlan(fraud_prior=0.25))
    assert table["counterparty_fraud_rate_30d"].unique().to_list() == [0.25]
    assert table["days_since_counterparty_fraud"].is_nan().all()
    assert table["counterparty_count_30d"].unique().to_list() == [0]


def test_constant_data_give_features_without_infinity():
    frame = some_transactions(200).with_columns(
        amount=pl.lit(500, pl.Int64),
        account=pl.lit("a"),
        counterparty=pl.lit("c"),
        label=pl.lit(0, pl.Int8),
    )
    table = build_features(frame, FeaturePlan())
    assert table.drop("id").select(pl.all().is_infinite().any()).row(0).count(True) == 0
    assert table["account_std_30d"].fill_nan(0).max() == 0


@pytest.mark.parametrize("missing", ["account", "counterparty", "label"])
def test_data_without_a_column_have_features_of_the_others(missing):
    frame = some_transactions(200).with_columns(
        pl.lit(None).cast(some_transactions(1).schema[missing]).alias(missing)
    )
    plan = FeaturePlan(accounts=missing != "account", counterparties=missing != "counterparty")
    table = build_features(frame, plan)
    assert tuple(table.columns[1:]) == feature_names(plan)
    assert not any(name.startswith(missing) for name in table.columns)
    assert build_features(frame, FeaturePlan()).select(table.columns).equals(table)


def test_a_table_without_rows_has_the_same_columns():
    table = build_features(some_transactions(10).head(0), FeaturePlan())
    assert table.shape == (0, 1 + len(feature_names(FeaturePlan())))


def test_the_joint_view_of_parts_is_the_own_view_of_the_whole():
    frame = some_transactions(1500, accounts=30)
    plan = FeaturePlan(first_stage="v1", bucket_hours=6)
    parts = [frame.filter(pl.col("account").hash(seed=0) % 3 == bank) for bank in range(3)]
    joint = Signal.total([Signal.of_frame(part, plan) for part in parts])
    apart = pl.concat([build_features(part, plan, joint) for part in parts]).sort("id")
    assert apart.equals(build_features(frame, plan).sort("id"))


def test_ready_features_pass_through_beside_amount_and_hour():
    frame = some_transactions(3).with_columns(
        account=pl.lit(None, pl.Utf8),
        counterparty=pl.lit(None, pl.Utf8),
        extra_V1=pl.Series([1.5, None, float("nan")]),
        time=pl.Series([0, 1, 90]) * HOUR,
        amount=pl.Series([100, None, 0]),
    )
    table = build_features(frame, FeaturePlan(kind="ready", extra=("V1",)))
    assert table.columns == ["id", "amount", "log_amount", "hour", "extra_V1"]
    assert table["hour"].to_list() == [0, 1, 18]
    assert table["amount"].fill_nan(-1).to_list() == [1, -1, 0]
    assert table["extra_V1"].fill_nan(-1).to_list() == [1.5, -1, -1]


def test_an_empty_amount_or_a_missing_first_stage_is_refused():
    frame = some_transactions(3)
    with pytest.raises(Refused, match="amount"):
        build_features(frame.with_columns(amount=pl.lit(None, pl.Int64)), FeaturePlan())
    with pytest.raises(Refused, match="first_stage"):
        build_features(frame.drop("first_stage"), FeaturePlan(first_stage="v1"))


@pytest.mark.parametrize(
    "choice", [{"bucket_hours": 5}, {"bucket_hours": 0}, {"label_delay_days": -1}]
)
def test_a_plan_that_cannot_be_kept_is_refused(choice):
    with pytest.raises(Refused):
        FeaturePlan(**choice)


def test_a_plan_survives_the_way_through_json():
    plan = FeaturePlan(extra=("V1",), zone="Asia/Tokyo", fraud_prior=0.01)
    assert FeaturePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    with pytest.raises(Refused):
        FeaturePlan.from_json({"extra": [], "windows": 3})


def test_names_are_distinct():
    names = feature_names(FeaturePlan(first_stage="v1", extra=("V1",)))
    assert len(set(names)) == len(names)


def test_scoring_one_payment_loads_no_table_library():
    code = "import sys, banks.ml.online; print({'polars', 'torch', 'sklearn'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
