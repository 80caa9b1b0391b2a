"""Every rule of a row, told by line, column, value and rule."""

from __future__ import annotations

import string

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.importing.amounts import read_amount
from banks.importing.errors import RULES
from banks.ml.schema import Mapping
from tests.importing.conftest import CARDS, GOOD, HEADER

PLACES = {name: place for place, name in enumerate(HEADER.split(","))}


def row(**values: str) -> str:
    fields = GOOD.split(",")
    for name, value in values.items():
        fields[PLACES[name]] = value
    return ",".join(fields)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("id", "", "missing"),
        ("id", "   ", "missing"),
        ("id", "x" * 81, "too_long"),
        ("account", "", "missing"),
        ("account", "a\tb", "control_character"),
        ("time", "", "missing"),
        ("time", "2024-05-31", "time_format"),
        ("time", "01/02/2024 10:00", "time_format"),
        ("time", "2024-02-30T00:00:00Z", "time_format"),
        ("time", "2024-05-31T24:00:00Z", "time_format"),
        ("time", "2024-05-31T23:59:60Z", "time_format"),
        ("time", "２024-05-31T14:05:00Z", "time_format"),
        ("time", "1717131900", "time_format"),
        ("time", "1900-01-01T00:00:00Z", "time_too_early"),
        ("time", "0001-01-01T00:00:00Z", "time_too_early"),
        ("time", "9999-12-31T00:00:00Z", "time_in_future"),
        ("time", "2024-06-03T00:00:00Z", "time_in_future"),
        ("amount", "", "missing"),
        ("amount", "NaN", "amount_not_finite"),
        ("amount", "-inf", "amount_not_finite"),
        ("amount", "null", "amount_not_finite"),
        ("amount", "1e400", "amount_format"),
        ("amount", '"1,234"', "amount_format"),
        ("amount", "¥1234", "amount_format"),
        ("amount", "１２３", "amount_format"),
        ("amount", "0x10", "amount_format"),
        ("amount", "1_000", "amount_format"),
        ("amount", " 12", "amount_format"),
        ("amount", "-3", "amount_negative"),
        ("amount", "12.5", "amount_decimals"),
        ("amount", "1" * 30, "amount_too_large"),
        ("fraud", "2", "label_unknown"),
        ("fraud", "maybe", "label_unknown"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_rule(check, column, value, rule):
    found = check("\n".join([HEADER, GOOD, row(**{column: value}), GOOD]))
    (error,) = found.errors
    assert (error.line, error.column, error.rule) == (3, column, rule)
    assert error.value == value.strip('"')[:79] + ("…" if len(value) > 80 else "")
    assert error.sentence == RULES[rule]
    assert [r["__line"] for r in found.rows] == [2, 4]


def test_a_row_with_several_faults_shows_each(check):
    found = check(f"{HEADER}\n{row(time='x', amount='y', fraud='z')}\n")
    assert {error.rule for error in found.errors} == {
        "time_format",
        "amount_format",
        "label_unknown",
    }
    assert found.read == 1


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("2024-05-31T14:05:00", 1_717_131_900_000_000),
        ("2024-05-31 14:05", 1_717_131_900_000_000),
        ("2024-05-31T05:05:00Z", 1_717_131_900_000_000),
        ("2024-05-31T01:35:00-03:30", 1_717_131_900_000_000),
        ("2024-05-31T14:05:00.1234567", 1_717_131_900_123_456),
    ],
)
def test_times_are_read_to_the_microsecond(check, time, instant):
    assert check(f"{HEADER}\n{row(time=time)}\n").rows[0]["time"] == instant


def test_local_times_that_daylight_saving_skipped_or_repeated_are_refused(check):
    paris = Mapping(columns=CARDS.columns, zone="Europe/Paris", amount_digits=0)
    times = [
        "2024-03-31T02:30:00",
        "2023-10-29T02:30:00",
        "2024-03-31T02:30:00Z",
        "2024-03-31T01:59:59",
    ]
    found = check("\n".join([HEADER, *(row(time=time) for time in times)]), paris)
    assert [(e.line, e.rule) for e in found.errors] == [(2, "time_skipped"), (3, "time_twice")]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("JPY", "1200", 1200),
        ("JPY", "1200.00", 1200),
        ("USD", "12.3", 1230),
        ("KWD", "1.234", 1234),
    ],
)
def test_each_currency_has_its_own_decimals(check, currency, amount, minor):
    mapping = Mapping(columns=CARDS.columns | {"currency": "currency"}, zone="Asia/Tokyo")
    found = check(f"{HEADER},currency\n{row(amount=amount)},{currency}\n", mapping)
    assert (found.rows[0]["amount"], found.rows[0]["currency"]) == (minor, currency)


@pytest.mark.parametrize("currency", ["jpy", "XXX", "DEM", "¥"])
def test_a_currency_that_is_none_is_refused_once(check, currency):
    mapping = Mapping(columns=CARDS.columns | {"currency": "currency"}, zone="Asia/Tokyo")
    found = check(f"{HEADER},currency\n{GOOD},{currency}\n", mapping)
    assert [(e.column, e.rule) for e in found.errors] == [("currency", "currency_unknown")]


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/C calc'!A0", "<script>alert(1)</script>", "'); DROP TABLE x;--", "\u202eabc", "🏪"],
)
def test_strange_text_is_kept_as_it_is(check, text):
    assert check(f"{HEADER}\n{row(shop=text)}\n").rows[0]["counterparty"] == text


def test_a_label_cannot_be_known_before_its_payment(check):
    mapping = Mapping(
        columns=CARDS.columns | {"label_known_at": "known"}, zone="Asia/Tokyo", amount_digits=0
    )
    known = [
        ("1", "2024-05-30T00:00"),
        ("1", ""),
        ("", "2024-05-31T23:00"),
        ("0", "2024-05-31T15:00"),
    ]
    lines = [f"{HEADER},known", *(f"{row(fraud=label)},{time}" for label, time in known)]
    found = check("\n".join(lines), mapping)
    assert [(e.line, e.rule) for e in found.errors] == [(2, "label_known_before_payment")]
    assert [r["label_known_at"] for r in found.rows] == [None, None, 1_717_135_200_000_000]


def test_ready_features_need_no_id_account_or_clock(check):
    card_set = Mapping.from_json(
        {
            "columns": {"time": "Time", "amount": "Amount", "label": "Class"},
            "extra": ["V1", "V2"],
            "time_unit": "s",
        }
    )
    text = 'Time,V1,V2,Amount,Class\n0,-1.36,2e-3,149.62,"0"\n1.5,,3,2.69,"1"\n-1,1,nan,1,0\n'
    found = check(text, card_set)
    first, second = found.rows
    assert (first["time"], second["time"]) == (0, 1_500_000)
    assert (first["extra_V1"], second["extra_V1"], first["account"]) == (-1.36, None, "")
    assert first["id"] == f"{found.facts.sha256[:24]}-2"
    assert [(e.line, e.rule) for e in found.errors] == [(4, "time_number"), (4, "number_format")]
    assert check(text, card_set).rows == found.rows


@pytest.mark.parametrize(
    ("labels", "code"), [("00", "no_fraud"), ("11", "no_genuine"), ("  ", "no_labels")]
)
def test_one_class_only_is_a_warning_not_an_error(check, labels, code):
    rows = [row(id=f"t{n}", fraud=label.strip()) for n, label in enumerate(labels)]
    found = check("\n".join([HEADER, *rows]))
    assert found.errors == []
    assert [warning for warning, _ in found.warnings] == [code]


def test_a_constant_or_leaking_feature_is_pointed_out(check):
    mapping = Mapping(
        columns={"time": "t", "label": "y"}, extra=("a", "b", "c"), kind="ready", time_unit="s"
    )
    found = check("t,y,a,b,c\n1,1,1,5,2\n2,0,0,5,1\n3,1,1,5,1\n4,0,0,5,2\n", mapping)
    assert found.warnings == [("leaks_label", {"column": "a"}), ("constant", {"column": "b"})]


@given(st.decimals(0, 10**12, places=2))
def test_an_amount_means_the_same_as_text_float_and_decimal(value):
    decimals = pl.Series([2])
    expected = int(value * 100)
    readings = [
        pl.Series([str(value)]),
        pl.Series([float(value)]),
        pl.Series([value], dtype=pl.Decimal(38, 2)),
    ]
    assert [read_amount(column, decimals).values[0] for column in readings] == [expected] * 3


@given(st.text(string.digits + "eE+-. ,_xX１infNa", max_size=12))
def test_no_text_is_both_an_amount_and_an_error(text):
    read = read_amount(pl.Series([text], dtype=pl.String), pl.Series([2]))
    assert (read.values[0] is None) != (read.rules[0] is None)
    if read.values[0] is not None:
        assert float(text) * 100 == pytest.approx(read.values[0], abs=1e-6)
