import numpy as np
import polars as pl
import pytest

from banks.ml.features import FeaturePlan, build_features, feature_names
from banks.ml.schema import DAY
from tests.ml.reference import expected_features
from tests.ml.transactions import some_transactions

PLANS = {
    "daily": FeaturePlan(),
    "six hours": FeaturePlan(bucket_hours=6, first_stage=True),
    "late labels, summer time": FeaturePlan(
        bucket_hours=4, zone="Europe/Berlin", first_stage=True, label_delay_days=3
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
