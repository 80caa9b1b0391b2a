"""Times: ISO 8601 with a zone, or seconds since the source's own beginning."""

from __future__ import annotations

from typing import Literal

import polars as pl

from banks.importing.errors import FileRefused
from banks.importing.values import Read, as_float, judge, judge_column, wrong_type
from banks.ml.schema import DAY, MICROSECONDS
from consortium.protocol.errors import gettext_noop

SECOND = MICROSECONDS["s"]

TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,9})?)?"
OFFSET = r"(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"


def read_time(column: pl.Series, *, zone: str, now: int) -> Read:
    """Absolute times as microseconds since 1970 UTC.

    A time without offset is local time in ``zone``. Local times that daylight saving skipped or
    repeated are refused: nobody can know what was meant. Fractions beyond microseconds are cut
    off. ``now`` bounds the future, plus one day.
    """
    text = column.dtype == pl.String
    frame = _parsed_text(column) if text else _parsed_timestamps(column)
    frame = frame.with_columns(first=_in_zone(zone, "earliest"), last=_in_zone(zone, "latest"))
    is_local = pl.col("shift").is_null()
    micros = pl.when(is_local).then(pl.col("first")).otherwise(
        pl.col("local").dt.epoch("us")
    ) - pl.col("shift").fill_null(0)
    checks = [
        ("missing", pl.col("v").is_null()),
        ("time_format", ~pl.col("fits") | pl.col("local").is_null()),
        ("time_skipped", is_local & pl.col("first").is_null()),
        ("time_twice", is_local & (pl.col("first") != pl.col("last"))),
        ("time_too_early", micros < 0),
        ("time_in_future", micros > now + DAY),
    ]
    return judge(frame, micros, checks)


def read_counted_time(column: pl.Series, *, unit: int, now: int) -> Read:
    """Times counted in ``unit`` microseconds from 1970 or from the source's own beginning."""
    number = as_float(column)
    micros = pl.col("v") * unit
    bad = ~pl.col("v").is_finite() | (micros < 0) | (micros > now + DAY)
    checks = [
        ("missing", pl.lit(column.is_null())),
        ("time_number", pl.col("v").is_null() | bad),
    ]
    return judge_column(number, micros.round().cast(pl.Int64, strict=False), checks)


def _parsed_text(column: pl.Series) -> pl.DataFrame:
    """Columns v, fits, local (wall clock) and shift (µs ahead of UTC; null without an offset)."""
    text = pl.col("v")
    offset = text.str.extract(OFFSET + "$").str.replace("Z", "+00:00", literal=True)
    sign = pl.when(offset.str.starts_with("-")).then(-60).otherwise(60)
    hours, minutes = offset.str.slice(1, 2).cast(pl.Int64), offset.str.slice(-2, 2).cast(pl.Int64)
    return pl.DataFrame({"v": column}).with_columns(
        fits=text.str.contains(TIME + OFFSET + "?$"),
        local=_local_time(text),
        shift=sign * (hours * 60 + minutes) * SECOND,
    )


def _parsed_timestamps(column: pl.Series) -> pl.DataFrame:
    """The same columns from typed timestamps."""
    if not isinstance(column.dtype, pl.Datetime):
        raise _not_a_time(column)
    stamp = column.dt.cast_time_unit("us")
    aware = column.dtype.time_zone is not None
    if aware:
        stamp = stamp.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return pl.DataFrame({"v": stamp}).with_columns(
        fits=pl.lit(value=True),
        local=pl.col("v"),
        shift=pl.lit(0 if aware else None, dtype=pl.Int64),
    )


def _local_time(text: pl.Expr) -> pl.Expr:
    """The wall-clock part of an ISO 8601 text, null where there is no such day or hour."""
    to_minutes = text.str.slice(0, 16).str.replace("T", " ", literal=True)
    minutes = to_minutes.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us")
    second = text.str.extract(r"^.{16}:([0-9]{2})").cast(pl.Int64).fill_null(0)
    fraction = text.str.extract(r"^.{19}\.([0-9]{1,6})").fill_null("0")
    micro = fraction.str.pad_end(6, "0").cast(pl.Int64)
    return minutes + pl.duration(seconds=second, microseconds=micro, time_unit="us")


def _in_zone(zone: str, ambiguous: Literal["earliest", "latest"]) -> pl.Expr:
    """The wall clock as µs since 1970 UTC, null for an hour that daylight saving skipped."""
    zoned = pl.col("local").dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null")
    return zoned.dt.convert_time_zone("UTC").dt.epoch("us")


def _not_a_time(column: pl.Series) -> FileRefused:
    if column.dtype.is_numeric():
        return FileRefused(
            "time_unit",
            gettext_noop("Column %(column)s holds numbers: say in the mapping what they count."),
            field="time_unit",
            column=column.name,
        )
    return wrong_type(column)
