import math
from datetime import UTC, datetime

import polars as pl
import pytest

from banks.ml.schema import MAX_AMOUNT, Mapping
from banks.ml.sources import CANONICAL_TYPES, frame_from_mapped, read_sources
from consortium.protocol.errors import Refused

COLUMNS = {"id": "i", "time": "t", "account": "a", "amount": "m", "label": "y"}
MAPPING = Mapping(columns=COLUMNS, zone="Asia/Tokyo")


def table(**columns: object) -> pl.DataFrame:
    rows = {"i": [1], "t": ["2020-01-02 09:00:00"], "a": [7], "m": [12.34], "y": [1]}
    return pl.DataFrame(rows | columns)


def one(mapping: Mapping = MAPPING, **columns: object) -> dict:
    return frame_from_mapped(table(**columns), mapping).row(0, named=True)


def test_a_row_becomes_canonical():
    frame = frame_from_mapped(table(), MAPPING)
    assert dict(frame.schema) == CANONICAL_TYPES
    moment = datetime(2020, 1, 2, tzinfo=UTC)
    assert frame.row(0) == ("1", int(moment.timestamp()) * 10**6, "7", None, 1234, 1, None)


def test_a_time_with_its_own_zone_keeps_it():
    aware = [datetime(2020, 1, 2, 9, tzinfo=UTC)]
    assert one(t=aware)["time"] == int(aware[0].timestamp()) * 10**6


def test_the_hour_that_comes_twice_is_taken_as_the_first():
    mapping = Mapping(columns=COLUMNS, zone="Europe/Berlin")
    assert one(mapping, t=["2018-10-28 02:30:00"])["time"] == 1_540_686_600_000_000


def test_an_hour_that_never_was_is_refused():
    with pytest.raises(Refused, match='"t"'):
        one(Mapping(columns=COLUMNS, zone="Europe/Berlin"), t=["2018-03-25 02:30:00"])


def test_numbers_are_seconds_unless_the_mapping_says_else():
    assert one(t=[90])["time"] == 90_000_000
    assert one(Mapping(columns=COLUMNS, time_unit="h"), t=[1.5])["time"] == 5_400_000_000


def test_yen_have_no_minor_unit():
    assert one(Mapping(columns=COLUMNS, amount_digits=0), m=[1200])["amount"] == 1200


def test_cents_are_rounded_to_the_nearest():
    assert one(m=[0.29])["amount"] == 29
    assert one(m=[1.005])["amount"] in {100, 101}


@pytest.mark.parametrize(
    ("cell", "label"), [(True, 1), (0, 0), ("Fraud", 1), (" no ", 0), ("", None), ("不正", 1)]
)
def test_labels_come_in_many_words(cell, label):
    assert one(y=[cell])["label"] == label


def test_a_label_that_is_none_is_refused_by_name():
    with pytest.raises(Refused, match='"maybe" in "y"'):
        one(y=["maybe"])


def test_labels_may_say_when_they_became_known():
    mapping = Mapping(columns=COLUMNS | {"label_known_at": "k"}, zone="UTC")
    rows = table(i=[1, 2], t=[0, 1], a=[1, 1], m=[1, 1], y=[1, 0], k=[None, 5])
    assert frame_from_mapped(rows, mapping)["label_known_at"].to_list() == [None, 5_000_000]


@pytest.mark.parametrize(
    "columns",
    [
        {"t": ["yesterday"]},
        {"t": [-1]},
        {"t": [10**12]},
        {"t": [None]},
        {"t": [True]},
        {"m": ["a lot"]},
        {"m": [MAX_AMOUNT]},
        {"m": [math.inf]},
    ],
)
def test_a_value_that_cannot_be_is_refused(columns):
    with pytest.raises(Refused):
        one(**columns)


def test_extra_columns_are_numbers_and_nan_is_missing():
    mapping = Mapping(columns=COLUMNS, extra=("v",))
    assert one(mapping, v=["2.5"])["extra_v"] == 2.5
    assert one(mapping, v=[math.nan])["extra_v"] is None
    with pytest.raises(Refused, match='"v"'):
        one(mapping, v=["x"])


def test_without_ids_rows_are_numbered():
    mapping = Mapping(columns={"time": "t", "amount": "m"}, kind="ready")
    assert frame_from_mapped(table(), mapping)["id"].to_list() == ["0"]


def test_files_are_read_together_and_split_by_bank(tmp_path):
    table().write_parquet(tmp_path / "one.parquet")
    table(i=[2], a=[8], t=["2020-01-03"]).write_csv(tmp_path / "two.csv")
    pl.DataFrame({"a": [7, 8], "bank": ["north", "south"]}).write_csv(tmp_path / "banks.csv")
    files = [tmp_path / "one.parquet", tmp_path / "two.csv"]
    banks = read_sources(files, MAPPING, tmp_path / "banks.csv")
    assert {name: frame["id"].to_list() for name, frame in banks.items()} == {
        "north": ["1"],
        "south": ["2"],
    }
    assert list(read_sources(files, MAPPING)) == ["all"]


def test_a_transaction_of_no_bank_is_refused(tmp_path):
    table().write_parquet(tmp_path / "one.parquet")
    pl.DataFrame({"a": [8], "bank": ["south"]}).write_parquet(tmp_path / "banks.parquet")
    with pytest.raises(Refused, match="no bank"):
        read_sources([tmp_path / "one.parquet"], MAPPING, tmp_path / "banks.parquet")


def test_a_bank_column_splits_without_a_banks_file(tmp_path):
    table(b=["east"]).write_parquet(tmp_path / "one.parquet")
    mapping = Mapping(columns=COLUMNS | {"bank": "b"})
    assert list(read_sources([tmp_path / "one.parquet"], mapping)) == ["east"]


def test_a_file_that_is_none_is_refused_by_name(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"no table")
    with pytest.raises(Refused, match=r"x\.parquet"):
        read_sources([tmp_path / "x.parquet"], MAPPING)
