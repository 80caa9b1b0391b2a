import numpy as np
import polars as pl
import pytest

from banks.ml.boosting import TreePlan
from banks.ml.schema import Mapping
from consortium.benchmarks import leakage
from consortium.benchmarks.detection import contenders, run
from consortium.benchmarks.detection.adding import masked_sum, packed_sum
from consortium.protocol.packing import layout_named

MAPPING = Mapping.from_json(
    {
        "columns": {
            "id": "id",
            "time": "time",
            "account": "account",
            "counterparty": "shop",
            "amount": "amount",
            "label": "fraud",
        }
    }
)
DAY = 86_400


@pytest.fixture
def files(tmp_path):
    """Three banks' payments; some shops turn bad for a while, and large amounts are suspicious."""
    random = np.random.default_rng(0)
    rows = 9_000
    time = np.sort(random.integers(0, 60 * DAY, rows))
    account, shop = random.integers(0, 150, rows), random.integers(0, 300, rows)
    amount = np.exp(random.normal(3, 0.7, rows)).round(2)
    bad_shop = (shop < 30) & ((time // DAY) % 30 > 10)
    fraud = random.random(rows) < np.where(bad_shop, 0.9, np.where(amount > 80, 0.3, 0.004))
    start = np.datetime64("2024-01-01T00:00:00", "us")
    transactions, banks = tmp_path / "transactions.parquet", tmp_path / "banks.csv"
    pl.DataFrame(
        {
            "id": [f"t{number}" for number in range(rows)],
            "time": start + time.astype("timedelta64[s]"),
            "account": account.astype(str),
            "shop": shop.astype(str),
            "amount": amount,
            "fraud": fraud.astype(int),
        }
    ).write_parquet(transactions)
    owners = ["north", "south", "west"]
    pl.DataFrame(
        {"account": [str(a) for a in range(150)], "bank": [owners[a % 3] for a in range(150)]}
    ).write_csv(banks)
    return transactions, banks


def test_every_scope_is_compared_for_every_bank(files, monkeypatch):
    monkeypatch.setattr(contenders, "TREES", TreePlan(trees=5, depth=3))
    monkeypatch.setattr(contenders, "MLP_ROUNDS", 1)
    transactions, banks = files
    report = run(
        [transactions],
        MAPPING,
        banks,
        "2024-02-05",
        "2024-02-10:2024-02-16",
        "2024-02-20:2024-02-29",
        label_delay=3,
    )
    rows = report["results"]
    assert {row["scope"] for row in rows} == {"alone", "federated", "pooled", "ensemble"}
    assert {row["bank"] for row in rows} == {"all", "north", "south", "west"}
    assert {row["signal"] for row in rows} == {False, True}
    figures = {
        (row["scope"], row["model"], row["signal"], row["bank"]): row["average_precision"]
        for row in rows
    }
    for signal in (False, True):
        together = figures["federated", "trees", signal, "all"]
        assert together == figures["pooled", "trees", signal, "all"]
    together = figures["federated", "logistic", True, "all"]
    assert together > figures["federated", "logistic", False, "all"] + 0.04, "the signal helps"
    assert together > figures["alone", "logistic", False, "all"]
    wire = report["protocol"]["with_signal"]
    assert wire["largest_difference_to_pooled"]["logistic"] < 0.001
    assert wire["largest_difference_to_pooled"]["trees"] == 0
    keys = {"recall_at_precision_80", "precision", "recall", "f1", "seconds"}
    assert all(keys <= row.keys() for row in rows)
    assert report["differences"]


def test_masked_and_packed_sums_are_the_sum():
    vectors = [np.random.default_rng(bank).integers(-(2**40), 2**40, 500) for bank in range(4)]
    expected = np.sum(vectors, axis=0)
    assert np.array_equal(masked_sum(vectors), expected)
    assert np.array_equal(packed_sum(vectors, layout_named("k56b64")), expected)


def test_leakage_is_measured_for_each_family_beside_its_control(files, monkeypatch):
    monkeypatch.setattr(contenders, "TREES", TreePlan(trees=5, depth=3))
    monkeypatch.setattr(contenders, "MLP_ROUNDS", 1)
    monkeypatch.setattr(leakage, "SHADOWS", 8)
    transactions, banks = files
    when = ("2024-02-05", "2024-02-10:2024-02-15", "2024-02-20:2024-02-28")
    report = leakage.run([transactions], MAPPING, banks, *when, label_delay=3)
    assert [row["model"] for row in report["results"]] == ["logistic", "trees", "mlp"]
    for row in report["results"]:
        assert row["found"]["auc"] < 0.7 < row["control"]["auc"]
