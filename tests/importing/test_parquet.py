"""Parquet, including files made to hurt."""

from __future__ import annotations

import datetime as dt
import resource
from decimal import Decimal

import polars as pl
import pytest

from banks.importing.parquet_file import ParquetFile
from banks.ml.schema import Mapping
from tests.importing.conftest import CARDS, refuses


def clock(time: str) -> dt.datetime:
    """A wall clock without a zone, as files have it."""
    return dt.datetime.fromisoformat(f"2024-05-31T{time}")


def frame(**columns) -> pl.DataFrame:
    good = {
        "id": [1, 2],
        "time": [clock("14:05"), clock("14:06")],
        "account": ["00123", "00124"],
        "shop": pl.Series(["a", "b"], dtype=pl.Categorical),
        "amount": [1200.0, 5.0],
        "fraud": pl.Series([1, 0], dtype=pl.Int8),
    }
    return pl.DataFrame(good | columns)


@pytest.fixture
def read(check, tmp_path):
    def run(table: pl.DataFrame, mapping: Mapping = CARDS):
        path = tmp_path / "data.parquet"
        table.write_parquet(path)
        return check.path(path, mapping)

    return run


def test_typed_columns_become_the_same_canonical_rows_as_text(read):
    found = read(frame())
    assert found.errors == []
    assert [
        (r["id"], r["account"], r["counterparty"], r["amount"], r["label"]) for r in found.rows
    ] == [
        ("1", "00123", "a", 1200, 1),
        ("2", "00124", "b", 5, 0),
    ]
    assert found.rows[0]["time"] == 1_717_131_900_000_000


@pytest.mark.parametrize(
    "time",
    [
        pl.Series([clock("05:05")] * 2).dt.replace_time_zone("UTC"),
        pl.Series([clock("14:05")] * 2).dt.cast_time_unit("ns"),
        pl.Series(["2024-05-31 14:05:00"] * 2),
    ],
)
def test_timestamps_of_every_unit_and_zone_mean_the_same_instant(read, time):
    assert read(frame(time=time)).rows[0]["time"] == 1_717_131_900_000_000


def test_decimals_and_whole_numbers_are_exact_amounts(read):
    cents = Mapping(columns=CARDS.columns, amount_digits=2)
    time = [clock("00:00")] * 2
    exact = frame(time=time, amount=[Decimal("0.10"), Decimal("12345678901.29")])
    assert [r["amount"] for r in read(exact, cents).rows] == [10, 1_234_567_890_129]
    assert [r["amount"] for r in read(frame(time=time, amount=[3, 4]), cents).rows] == [300, 400]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"account": [["a"], ["b"]]}, "parquet_type"),
        ({"account": [{"x": 1}, {"x": 2}]}, "parquet_type"),
        ({"account": [b"a", b"b"]}, "parquet_type"),
        ({"account": [1.0, 2.0]}, "parquet_type"),
        ({"amount": pl.Series([1.5, 2.5], dtype=pl.Float32)}, "parquet_type"),
        ({"time": [1, 2]}, "time_unit"),
        ({"time": [dt.date(2024, 5, 31)] * 2}, "parquet_type"),
    ],
)
def test_a_column_of_an_impossible_type_refuses_the_file(read, columns, code):
    with refuses(code):
        read(frame(**columns))


def test_a_nested_column_nobody_mapped_does_no_harm(read):
    assert read(frame(more=[[1], [2]])).errors == []


def test_a_file_without_rows_is_refused(read):
    with refuses("no_rows"):
        read(frame().head(0))


@pytest.mark.parametrize("damage", ["cut", "magic_only", "footer", "body", "encrypted"])
def test_a_damaged_or_encrypted_file_is_refused(tmp_path, check, damage):
    path = tmp_path / "data.parquet"
    frame().write_parquet(path)
    whole = path.read_bytes()
    broken = {
        "cut": whole[: len(whole) // 2],
        "magic_only": b"PAR1PAR1",
        "footer": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        "body": whole[:4] + bytes(255 - byte for byte in whole[4:200]) + whole[200:],
        "encrypted": whole[:-4] + b"PARE",
    }[damage]
    path.write_bytes(broken)
    with refuses("parquet_damaged", "parquet_encrypted"):
        check.path(path, CARDS)


def test_a_promise_of_too_many_rows_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.parquet"
    pl.DataFrame({"a": pl.repeat(1, 20_000_001, dtype=pl.Int8, eager=True)}).write_parquet(path)
    assert path.stat().st_size < 1_000_000
    with refuses("parquet_too_large"):
        ParquetFile(path)


def test_a_page_that_unpacks_beyond_the_ceiling_kills_only_its_decoder(tmp_path):
    path = tmp_path / "bomb.parquet"
    pl.DataFrame({"a": ["y" * 250_000_000]}).write_parquet(path, statistics=False)
    assert path.stat().st_size < 1_000_000
    source = ParquetFile(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refuses("parquet_damaged"):
        list(source.batches(["a"]))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_a_long_text_repeated_by_a_dictionary_stays_small(tmp_path):
    path = tmp_path / "bomb.parquet"
    text = pl.Series(["x" * 100_000] * 500, dtype=pl.Categorical)
    pl.DataFrame({"a": text}).write_parquet(path)
    size = sum(batch.frame.estimated_size() for batch in ParquetFile(path).batches(["a"]))
    assert size < 500 * 1_100


def test_leaving_a_file_half_read_ends_its_decoder(tmp_path):
    path = tmp_path / "data.parquet"
    pl.DataFrame({"a": range(500_000)}).write_parquet(path)
    batches = ParquetFile(path).batches(["a"], 1000)
    assert next(batches).frame["__line"][0] == 1
    batches.close()
