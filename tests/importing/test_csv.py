"""What a CSV may look like, and what is said when it does not."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banks.importing.csv_file import CsvFile
from banks.importing.survey import survey
from tests.importing.conftest import GOOD, HEADER, refuses


def test_a_plain_file_becomes_canonical_rows(check):
    found = check(f"{HEADER}\n{GOOD}\n")
    assert found.errors == []
    assert found.rows == [
        {
            "__line": 2,
            "id": "t1",
            "time": 1_717_131_900_000_000,
            "account": "00123",
            "counterparty": "NULL",
            "amount": 1200,
            "currency": "JPY",
            "channel": "",
            "label": 0,
            "label_known_at": None,
        }
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_newline_convention_counts_the_same_lines(check, newline):
    found = check(newline.join([HEADER, GOOD, GOOD.replace("1200", "x"), ""]))
    assert [error.line for error in found.errors] == [3]
    assert found.read == 2


def test_a_byte_order_mark_is_not_part_of_the_first_name(check):
    assert check(b"\xef\xbb\xbf" + f"{HEADER}\n{GOOD}\n".encode()).rows[0]["id"] == "t1"


def test_shift_jis_is_recognised_and_reported_as_a_guess(check):
    text = f"{HEADER}\nt1,2024-05-31T14:05:00,口座,ﾃｨｰ商店,1200,正常\n"
    found = check(text.encode("cp932"))
    assert (found.facts.encoding, found.facts.guessed) == ("cp932", True)
    assert (found.rows[0]["account"], found.rows[0]["counterparty"]) == ("口座", "ﾃｨｰ商店")
    assert found.rows[0]["label"] == 0


def test_damaged_utf8_is_not_mistaken_for_shift_jis(check):
    lines = [HEADER, GOOD.replace("NULL", "商店"), GOOD.replace("NULL", "x")]
    content = "\n".join(lines).encode().replace(b",x,", b",\xff,")
    with refuses("encoding") as refusal:
        check(content)
    assert "Line 3" in str(refusal.value)
    assert "0xFF" in str(refusal.value)


def test_a_bad_byte_is_found_across_a_chunk_border(tmp_path, monkeypatch):
    monkeypatch.setattr("banks.importing.survey.CHUNK", 7)
    path = tmp_path / "data"
    path.write_bytes("一二三\n四五六\n七八".encode() + b"\xe3\x81")
    with refuses("encoding") as refusal:
        survey(path)
    assert refusal.value.params["line"] == 3


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1000])
def test_the_encoding_does_not_depend_on_chunks(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("banks.importing.survey.CHUNK", chunk)
    for encoding, expected in (("utf-8", "utf-8-sig"), ("cp932", "cp932")):
        path = tmp_path / encoding
        path.write_bytes("id,名前\n1,日本橋\n".encode(encoding))
        assert survey(path).encoding == expected


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\n\n", "file_empty"),
        ("id,time".encode("utf-16"), "encoding_utf16"),
        (b"PK\x03\x04rest", "file_kind"),
        (b"\x1f\x8b\x08rest", "file_kind"),
        (b"\x89PNG\r\n", "file_kind"),
        (b"\xd0\xcf\x11\xe0", "file_kind"),
        (b"ARROW1\0\0", "file_kind"),
        (b"id,a\n1,\x002\n", "nul_byte"),
        (b"id;time;account\n1;2;3\n", "delimiter"),
        (b"id,id\n1,2\n", "header_duplicate"),
        (b"id,,x\n1,2,3\n", "header_blank"),
        (",".join(f"c{n}" for n in range(1001)).encode(), "header_too_wide"),
        (HEADER.encode() + b'\n"t1,2024\n' + GOOD.encode() * 4000, "field_too_large"),
        (HEADER.encode() + b'\n"t1,2024\n' + GOOD.encode(), "quotes"),
        (HEADER.encode() + b'\n"t1"x,1,2,3,4,5\n', "quotes"),
        (HEADER.encode() + b"\n" + b"x" * 1_200_000 + b"\n", "line_too_long"),
    ],
)
def test_an_unreadable_file_is_refused_as_a_whole(check, content, code):
    with refuses(code):
        check(content)


def test_an_unclosed_quote_is_reported_where_it_opens(check):
    rows = [GOOD] * 5 + ['t9,"open'] + [GOOD] * 50_000
    with refuses("field_too_large") as refusal:
        check("\n".join([HEADER, *rows]))
    assert refusal.value.params["line"] == 7


def test_a_huge_field_is_refused_before_it_fills_the_memory(tmp_path: Path):
    path = tmp_path / "data"
    with path.open("wb") as file:
        file.write(b"id,time\n1,")
        for _ in range(200):
            file.write(b"x" * (1 << 20))
    facts = survey(path)
    tracemalloc.start()
    with refuses("line_too_long"):
        list(CsvFile(path, facts).batches(["id"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_ragged_row_is_an_error_and_never_shifts(check):
    found = check(f"{HEADER}\n{GOOD},9\n{GOOD}\nt3,1\n")
    assert [(e.line, e.rule, e.value) for e in found.errors] == [
        (2, "ragged", "7 ≠ 6"),
        (4, "ragged", "2 ≠ 6"),
    ]
    assert [row["__line"] for row in found.rows] == [3]


def test_quoted_newlines_keep_line_numbers_right(check):
    bad = GOOD.replace("1200", "-5")
    found = check(f'{HEADER}\n"a\nb",{GOOD.split(",", 1)[1]}\n{bad}\n')
    assert [(e.line, e.rule) for e in found.errors] == [
        (2, "control_character"),
        (4, "amount_negative"),
    ]


def test_columns_are_found_by_name_in_any_order(check):
    names, values = HEADER.split(","), GOOD.split(",")
    found = check(",".join([*reversed(names), "more"]) + "\n" + ",".join([*reversed(values), "?"]))
    assert found.rows[0]["account"] == "00123"


cell = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=12), size=st.integers(1, 5))
def test_any_text_survives_the_round_trip(tmp_path_factory, rows, size):
    import csv

    path = tmp_path_factory.mktemp("csv") / "data"
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b", "c"), *rows])
    path.write_bytes(text.getvalue().encode())
    source = CsvFile(path, survey(path))
    read = [r for batch in source.batches(["a", "b", "c"], size) for r in batch.frame.iter_rows()]
    assert [row[1:] for row in read] == rows
    assert [row[0] for row in read] == list(range(2, len(rows) + 2))
