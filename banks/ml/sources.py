"""From a table file and its mapping to canonical frames, one for each bank."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import polars as pl

from banks.ml.schema import (
    CANONICAL,
    EXTRA_PREFIX,
    LABEL_WORDS,
    MAX_AMOUNT,
    MAX_TIME,
    MICROSECONDS,
    Mapping,
)
from consortium.protocol.errors import Refused, gettext_noop

CANONICAL_TYPES = {
    "id": pl.Utf8,
    "time": pl.Int64,
    "account": pl.Utf8,
    "counterparty": pl.Utf8,
    "amount": pl.Int64,
    "label": pl.Int8,
    "label_known_at": pl.Int64,
}


def read_sources(
    files: Sequence[Path | str], mapping: Mapping, banks_file: Path | str | None = None
) -> dict[str, pl.DataFrame]:
    """Read Parquet or CSV files into one canonical frame per bank.

    The bank comes from the mapping's ``bank`` column, else from ``banks_file`` (an account column
    of the mapped name or the first column, and a column ``bank``); without either all rows belong
    to the bank ``all``. Raises Refused for missing columns or values out of range.
    """
    table = pl.concat([_read_table(Path(file), mapping) for file in files])
    frame = frame_from_mapped(table, mapping)
    if "bank" in mapping.columns:
        frame = frame.with_columns(bank=table[mapping.columns["bank"]].cast(pl.Utf8))
    elif banks_file is not None:
        frame = frame.join(_banks(Path(banks_file), mapping), on="account", how="left")
    else:
        frame = frame.with_columns(bank=pl.lit("all"))
    if missing := frame["bank"].null_count():
        _refuse(gettext_noop("%(count)s transactions belong to no bank."), count=missing)
    parts = frame.partition_by("bank", as_dict=True, include_key=False)
    return {str(key[0]): parts[key] for key in sorted(parts, key=str)}


def frame_from_mapped(table: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Return the canonical frame of a source table; strict about every mapped column."""
    mapping.check_source(table.columns)
    columns = {
        "id": _identity(table, mapping),
        "time": _time(table[mapping.columns["time"]], mapping),
        "account": _text(table, mapping, "account"),
        "counterparty": _text(table, mapping, "counterparty"),
        "amount": _amount(table, mapping),
        "label": _label(table, mapping),
        "label_known_at": _known_at(table, mapping),
    }
    frame = pl.DataFrame([columns[name].alias(name) for name in CANONICAL])
    extra = [
        _numbers(table[name]).alias(EXTRA_PREFIX + name).fill_nan(None) for name in mapping.extra
    ]
    return frame.with_columns(extra)


def _read_table(file: Path, mapping: Mapping) -> pl.DataFrame:
    lazy = (
        pl.scan_parquet(file)
        if file.suffix.lower() in {".parquet", ".pq"}
        else pl.scan_csv(file, infer_schema_length=None)
    )
    try:
        mapping.check_source(lazy.collect_schema().names())
        return lazy.select(mapping.source_columns()).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Refused(
            "source",
            gettext_noop("%(file)s cannot be read: %(reason)s"),
            file=file.name,
            reason=str(error),
        ) from error


def _banks(file: Path, mapping: Mapping) -> pl.DataFrame:
    table = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
    if "bank" not in table.columns or table.width < 2:
        _refuse(gettext_noop('The banks file needs an account column and a column "bank".'))
    account = mapping.columns.get("account", "")
    if account not in table.columns:
        account = next(name for name in table.columns if name != "bank")
    return table.select(
        account=pl.col(account).cast(pl.Utf8), bank=pl.col("bank").cast(pl.Utf8)
    ).unique("account")


def _identity(table: pl.DataFrame, mapping: Mapping) -> pl.Series:
    if "id" in mapping.columns:
        return _text(table, mapping, "id")
    return pl.int_range(len(table), eager=True).cast(pl.Utf8)


def _text(table: pl.DataFrame, mapping: Mapping, role: str) -> pl.Series:
    if role not in mapping.columns:
        return pl.Series(role, [None], pl.Utf8).extend_constant(None, max(len(table) - 1, 0))[
            : len(table)
        ]
    return table[mapping.columns[role]].cast(pl.Utf8)


def _time(column: pl.Series, mapping: Mapping) -> pl.Series:
    unit = mapping.time_unit or ("s" if column.dtype.is_numeric() else "datetime")
    if unit == "datetime":
        time = _moments(column, mapping.zone)
    else:
        time = (_numbers(column) * MICROSECONDS[unit]).round().cast(pl.Int64)
    if wrong := int((time.is_null() | (time < 0) | (time > MAX_TIME)).sum()):
        _refuse(
            gettext_noop('%(count)s cells of "%(name)s" are no time from 1970 to 2100.'),
            count=wrong,
            name=column.name,
        )
    return time


def _moments(column: pl.Series, zone: str) -> pl.Series:
    """Return µs UTC; a time without a zone is wall-clock time of ``zone``."""
    if column.dtype == pl.Utf8:
        column = _parsed(column)
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if not isinstance(column.dtype, pl.Datetime):
        _refuse(gettext_noop('"%(name)s" does not hold dates and times.'), name=column.name)
    if column.dtype.time_zone is None:
        column = column.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    moments: pl.Series = column.dt.convert_time_zone("UTC").dt.epoch("us")
    return moments


def _parsed(column: pl.Series) -> pl.Series:
    try:
        parsed: pl.Series = column.str.to_datetime(time_unit="us", strict=True)
    except pl.exceptions.PolarsError as error:
        raise Refused(
            "source",
            gettext_noop('"%(name)s" does not hold dates and times that can be read.'),
            name=column.name,
        ) from error
    return parsed


def _amount(table: pl.DataFrame, mapping: Mapping) -> pl.Series:
    if "amount" not in mapping.columns:
        return _text(table, mapping, "amount").cast(pl.Int64)
    column = table[mapping.columns["amount"]]
    minor = _numbers(column).fill_nan(None) * float(10**mapping.amount_digits)
    if wrong := int((minor.abs() > MAX_AMOUNT).sum()):
        _refuse(
            gettext_noop('%(count)s amounts in "%(name)s" are out of range.'),
            count=wrong,
            name=column.name,
        )
    return minor.round().cast(pl.Int64)


def _label(table: pl.DataFrame, mapping: Mapping) -> pl.Series:
    if "label" not in mapping.columns:
        return _text(table, mapping, "label").cast(pl.Int8)
    column = table[mapping.columns["label"]]
    words = column.cast(pl.Int8) if column.dtype == pl.Boolean else column
    words = words.cast(pl.Utf8).str.strip_chars().str.to_lowercase()
    unknown = words.drop_nulls().unique().filter(~words.drop_nulls().unique().is_in(LABEL_WORDS))
    if len(unknown):
        _refuse(
            gettext_noop('"%(value)s" in "%(name)s" is no label: use 1, 0 or nothing.'),
            value=unknown[0],
            name=column.name,
        )
    return words.replace_strict(LABEL_WORDS, default=None, return_dtype=pl.Int8)


def _known_at(table: pl.DataFrame, mapping: Mapping) -> pl.Series:
    if "label_known_at" not in mapping.columns:
        return _text(table, mapping, "label_known_at").cast(pl.Int64)
    column = table[mapping.columns["label_known_at"]]
    present = column.is_not_null()
    known = _time(column.filter(present), mapping)
    place = present.cum_sum().cast(pl.Int64) - 1
    return known.gather(place.clip(0)).zip_with(present, pl.Series([None], dtype=pl.Int64))


def _numbers(column: pl.Series) -> pl.Series:
    try:
        return column.cast(pl.Float64)
    except pl.exceptions.PolarsError as error:
        raise Refused(
            "source", gettext_noop('"%(name)s" does not hold numbers.'), name=column.name
        ) from error


def _refuse(sentence: str, **params: object) -> NoReturn:
    raise Refused("source", sentence, field=None, **params)
