"""From the values of one column to canonical values, and the rule each bad one breaks.

Every reader takes a Series as it stands in the file (text from CSV, typed from Parquet) and
returns ``Read``. Nothing is coerced: what is not in the documented form breaks a rule.
Times and amounts have modules of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import polars as pl

from banks.importing.errors import FileRefused
from banks.ml.schema import LABEL_WORDS
from consortium.protocol.errors import gettext_noop

NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
CONTROL = r"[\x00-\x1f\x7f]"

Checks = list[tuple[str, pl.Expr]]


@dataclass(frozen=True, slots=True)
class Read:
    """Canonical ``values`` and broken ``rules`` (String codes of ``errors.RULES``).

    Two Series of the column's length: where a value is good its rule is null, and the other way
    round.
    """

    values: pl.Series
    rules: pl.Series


def read_text(column: pl.Series, *, required: bool, max_length: int) -> Read:
    """Ids and names, kept exactly as written; whole numbers become their digits."""
    if column.dtype != pl.String and not column.dtype.is_integer() and column.dtype != pl.Null:
        raise wrong_type(column)
    value = pl.col("v")
    missing = value.is_null() | (value.str.strip_chars().str.len_bytes() == 0)
    checks = [
        ("missing", missing if required else pl.lit(value=False)),
        ("too_long", value.str.len_chars() > max_length),
        ("control_character", value.str.contains(CONTROL)),
    ]
    return judge_column(column.cast(pl.String), pl.when(~missing).then(value), checks)


def read_label(column: pl.Series) -> Read:
    """1 fraud, 0 genuine, null unknown, from the words of ``schema.LABEL_WORDS``."""
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    word = pl.col("v").str.to_lowercase()
    label = word.replace_strict(LABEL_WORDS, default=None, return_dtype=pl.Int8)
    known_word = word.is_null() | word.is_in(list(LABEL_WORDS))
    return judge_column(column.cast(pl.String), label, [("label_unknown", ~known_word)])


def read_number(column: pl.Series) -> Read:
    """Finite numbers as Float64; empty is missing (null)."""
    number = as_float(column)
    value = pl.col("v")
    given = pl.lit(column.is_not_null())
    bad = value.is_null() | ~value.is_finite()
    return judge_column(number, value, [("number_format", given & bad)])


def as_float(column: pl.Series) -> pl.Series:
    """Plain numbers as Float64, null where a text is no plain number."""
    if column.dtype == pl.String:
        text = pl.col("v")
        plain = pl.when(text.str.contains(NUMBER)).then(text).cast(pl.Float64, strict=False)
        return pl.DataFrame({"v": column}).select(plain.alias(column.name)).to_series()
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64)
    raise wrong_type(column)


def judge_column(column: pl.Series, value: pl.Expr, checks: Checks) -> Read:
    return judge(pl.DataFrame({"v": column}), value, checks)


def judge(frame: pl.DataFrame, value: pl.Expr, checks: Checks) -> Read:
    """Apply ``checks`` in order: the first rule broken is the one reported."""
    rule = reduce(
        lambda chain, check: pl.when(check[1]).then(pl.lit(check[0])).otherwise(chain),
        reversed(checks),
        pl.lit(None, dtype=pl.String),
    )
    both = frame.select(rules=rule, values=value)
    good = both.select(pl.when(pl.col("rules").is_null()).then(pl.col("values")).alias("values"))
    return Read(good.to_series(), both.get_column("rules"))


def wrong_type(column: pl.Series) -> FileRefused:
    return FileRefused(
        "parquet_type",
        gettext_noop("Column %(column)s has the type %(type)s, which cannot be imported."),
        field="file",
        column=column.name,
        type=str(column.dtype),
    )
