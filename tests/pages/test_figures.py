"""Numbers and times as people write them, in both languages; pictures with honest gaps."""

from __future__ import annotations

import datetime as dt

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from consortium import drawing
from consortium.exports import csv_response, safe_cell
from consortium.templatetags import figures

AT = dt.datetime(2026, 11, 22, 5, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "japanese"),
    [
        (1234567, "JPY", "¥1,234,567", "1,234,567円"),
        (-500, "JPY", "−¥500", "−500円"),
        (123456, "USD", "$1,234.56", "$1,234.56"),
        (5, "EUR", "€0.05", "€0.05"),
        (-5, "EUR", "−€0.05", "−€0.05"),
        (1234, "KWD", "1.234\u00a0KWD", "1.234\u00a0KWD"),
        (0, "JPY", "¥0", "0円"),
        (None, "JPY", "–", "–"),
    ],
)
def test_money(minor: int | None, currency: str, english: str, japanese: str) -> None:
    with translation.override("en"):
        assert figures.money(minor, currency) == english
    with translation.override("ja"):
        assert figures.money(minor, currency) == japanese


def test_moments_name_their_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        with translation.override("en"):
            assert figures.moment(AT) == "22 Nov 2026 14:05 JST"
            assert figures.period(AT, AT + dt.timedelta(days=1)) == "22 Nov 2026 – 23 Nov 2026"
        with translation.override("ja"):
            assert figures.moment(AT) == "2026年11月22日 14:05 JST"


def test_what_is_missing_is_never_zero() -> None:
    for text in (
        figures.percent(None),
        figures.count(None),
        figures.day(None),
        figures.moment(None),
        figures.duration(None),
        figures.file_size(None),
    ):
        assert text == "–"
    page = Template('{% load ui %}{% figure label="Recall" value=None %}').render(Context())
    assert "not measured yet" in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.00216, "2.2 ms"),
        (3.21, "3.2 s"),
        (42, "42 s"),
        (250, "4 min 10 s"),
        (600, "10 min"),
        (7500, "2 h 5 min"),
        (86400, "24 h"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    with translation.override("en"):
        assert figures.duration(seconds) == said


def test_a_sparkline_leaves_a_gap_where_nothing_is_known() -> None:
    line = drawing.line_through([1, 2, None, 4, 5])
    assert len(line.runs) == 2
    assert drawing.line_through([None, float("nan")]).runs == []


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(0, 300))
def test_bars_stay_inside_their_picture(counts: list[int], marked_from: int) -> None:
    bars = drawing.bars_of(counts, marked_from=marked_from)
    assert len(bars.bars) == len(counts)
    for index, bar in enumerate(bars.bars):
        assert 0 <= bar.y <= drawing.HEIGHT
        assert bar.y + bar.height == pytest.approx(drawing.HEIGHT, abs=0.02)
        assert bar.marked is (index >= marked_from)


@pytest.mark.parametrize(
    ("part", "whole", "shade"), [(0, 10, 0), (1, 10_000, 1), (5, 10, 5), (10, 10, 10), (0, 0, 0)]
)
def test_a_rare_class_still_has_a_shade(part: int, whole: int, shade: int) -> None:
    assert drawing.tint(part, whole) == shade


def test_a_confusion_matrix_says_in_words_what_its_colours_say() -> None:
    page = Template("{% load ui %}{% confusion_matrix 40 10 20 930 links=links %}").render(
        Context({"links": {"tp": "/x"}})
    )
    for words in ("fraud caught", "fraud missed", "false alarm", "rightly left alone"):
        assert words in page
    assert page.count("<a href") == 1
    assert "1,000" in page


def test_a_chart_s_numbers_stand_beside_it() -> None:
    data = {
        "kind": "line",
        "x": {"name": "Recall", "format": "percent"},
        "y": {"name": "Precision", "format": "percent"},
        "series": [{"name": "Local", "points": [[i / 512, 1 - i / 600] for i in range(512)]}],
    }
    rows = list(drawing.rows_of(data))
    assert rows[0] == ("Local", "0.0%", "100.0%")
    assert len(rows) <= drawing.TABLE_ROWS


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == text or cell == text


def test_a_table_to_take_along_keeps_numbers_and_japanese() -> None:
    file = csv_response(file_name="x.csv", header=["金額"], rows=[[-5], ["-5"], [None]])
    assert file.content.decode() == "\ufeff金額\r\n-5\r\n'-5\r\n\r\n" or file.content.decode() == (
        '\ufeff金額\r\n-5\r\n\'-5\r\n""\r\n'
    )
