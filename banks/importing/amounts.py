"""Amounts: exact whole minor units of a current currency."""

from __future__ import annotations

import polars as pl

from banks.importing.currencies import DECIMALS
from banks.importing.values import Read, judge, judge_column, wrong_type
from banks.ml.schema import MAX_AMOUNT

AMOUNT = r"^([0-9]+)(?:\.([0-9]+))?$"
NOT_FINITE = r"(?i)^[+-]?(nan|inf|infinity|na|n/a|null|none)$"


def read_currency(column: pl.Series) -> Read:
    """Current ISO 4217 codes in capitals."""
    value = pl.col("v")
    known = value.is_in(list(DECIMALS))
    checks = [("missing", value.is_null()), ("currency_unknown", ~known)]
    return judge_column(column.cast(pl.String), value, checks)


def read_amount(column: pl.Series, decimals: pl.Series) -> Read:
    """Amounts as whole minor units (cents; yen), exactly; ``decimals`` is each row's 0 to 4.

    Text may have zeros beyond those decimals, nothing else. A Float64 must be the nearest float
    to a number with that many decimals; a Float32 cannot hold money and is refused.
    """
    frame = pl.DataFrame({"v": column, "decimals": decimals})
    if column.dtype == pl.String:
        return _amount_from_text(frame)
    if column.dtype.is_integer() or column.dtype.is_decimal():
        return _amount_from_text(frame.with_columns(pl.col("v").cast(pl.String)))
    if column.dtype == pl.Float64:
        return _amount_from_float(frame)
    raise wrong_type(column)


def decimals_of(currency: pl.Series) -> pl.Series:
    """How many decimals each currency has; the most there are where it is unknown."""
    return currency.replace_strict(DECIMALS, default=4, return_dtype=pl.Int64)


def _amount_from_text(frame: pl.DataFrame) -> Read:
    text, decimals = pl.col("v"), pl.col("decimals")
    frame = frame.with_columns(
        whole=text.str.extract(AMOUNT, 1),
        part=text.str.extract(AMOUNT, 2).fill_null("").str.strip_chars_end("0"),
    )
    whole, part = pl.col("whole"), pl.col("part")
    significant = whole.str.strip_chars_start("0")
    minor_text = whole + part.str.slice(0, decimals).str.pad_end(decimals, "0")
    minor = minor_text.cast(pl.Int64, strict=False)
    checks = [
        ("missing", text.is_null()),
        ("amount_not_finite", text.str.contains(NOT_FINITE)),
        ("amount_negative", text.str.contains(r"^-[0-9]+(\.[0-9]+)?$")),
        ("amount_format", whole.is_null()),
        ("amount_too_large", (significant.str.len_bytes() > 15) | (minor > MAX_AMOUNT)),
        ("amount_decimals", part.str.len_bytes() > decimals),
    ]
    return judge(frame, minor, checks)


def _amount_from_float(frame: pl.DataFrame) -> Read:
    value = pl.col("v")
    frame = frame.with_columns(scaled=value * pl.lit(10.0).pow(pl.col("decimals")))
    scaled = pl.col("scaled")
    rounding = (scaled - scaled.round()).abs()
    checks = [
        ("missing", value.is_null()),
        ("amount_not_finite", ~value.is_finite()),
        ("amount_negative", value < 0),
        ("amount_too_large", scaled > MAX_AMOUNT),
        ("amount_decimals", rounding > 1e-6 + scaled.abs() * 1e-15),
    ]
    return judge(frame, scaled.round().cast(pl.Int64, strict=False), checks)
