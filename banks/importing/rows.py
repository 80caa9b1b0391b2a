"""Check every row against the rules and bring the good ones to the canonical transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from banks.importing.amounts import decimals_of, read_amount, read_currency
from banks.importing.batch import LINE, Batch
from banks.importing.errors import RowError
from banks.importing.times import read_counted_time, read_time
from banks.importing.values import Read, read_label, read_number, read_text
from banks.ml.schema import EXTRA_PREFIX, MICROSECONDS, REQUIRED, Mapping
from consortium.protocol.errors import gettext_noop

MAX_NAME = 80
MAX_CHANNEL = 20
YEN = "JPY"
NOT_STATED = ""

WARNINGS: dict[str, str] = {
    "no_labels": gettext_noop("No row has a label: the data can be scored but not learned from."),
    "no_fraud": gettext_noop("No row is labelled fraud: training needs both classes."),
    "no_genuine": gettext_noop("No row is labelled genuine: training needs both classes."),
    "constant": gettext_noop("Column %(column)s has the same value in every row."),
    "other_labels": gettext_noop(
        "%(count)s transactions are stored already with another label. Labels change by decisions, "
        "not by importing again."
    ),
    "leaks_label": gettext_noop(
        "Column %(column)s equals the label in every row; leave it out, or the model learns "
        "nothing else."
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The canonical rows of a batch and everything that is wrong with the others.

    ``rows``: LINE, id, time (µs), account, counterparty, amount (minor units), currency, channel,
    label, label_known_at (µs), bank if mapped, then one Float64 ``extra_<name>`` for each extra
    column. Text that a source lacks is empty; ``rows_read`` counts good and bad rows.
    """

    rows: pl.DataFrame
    errors: list[RowError]
    rows_read: int


@dataclass(slots=True)
class RowChecker:
    """Checks the batches of one file, in order, and remembers what deserves a warning.

    ``file_sha256`` makes the ids of a source without any: the same file gives the same ids.
    ``now`` is in µs since 1970 UTC. Rows that name another bank than ``own_bank`` are refused.
    """

    mapping: Mapping
    file_sha256: str
    now: int
    own_bank: str | None = None
    _labels: dict[int | None, int] = field(default_factory=dict)
    _ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    _leaks: set[str] | None = None

    def check(self, batch: Batch) -> Checked:
        """Check one batch. Raises FileRefused where a whole column has an impossible type."""
        reads = dict(self._read(batch.frame))
        values = pl.DataFrame(
            [batch.frame[LINE], *(read.values.alias(name) for name, read in reads.items())]
        )
        rules = pl.DataFrame([read.rules.alias(name) for name, read in reads.items()])
        rules = rules.with_columns(_known_too_early(values, rules))
        broken = rules.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        errors = [*batch.errors, *self._errors(batch.frame, rules, broken)]
        errors.sort(key=lambda error: error.line)
        rows = values.filter(~broken)
        self._remember(rows)
        return Checked(rows, errors, batch.frame.height + len(batch.errors))

    def warnings(self) -> list[tuple[str, dict[str, str]]]:
        """What the good rows seen so far lack: codes of ``WARNINGS`` with their parameters."""
        found: list[tuple[str, dict[str, str]]] = []
        frauds, genuine = self._labels.get(1, 0), self._labels.get(0, 0)
        if self._labels and not frauds and not genuine:
            found.append(("no_labels", {}))
        elif genuine and not frauds:
            found.append(("no_fraud", {}))
        elif frauds and not genuine:
            found.append(("no_genuine", {}))
        leaks = self._leaks or set()
        for name, (low, high) in self._ranges.items():
            if low == high:
                found.append(("constant", {"column": name}))
            elif name in leaks:
                found.append(("leaks_label", {"column": name}))
        return found

    def _read(self, frame: pl.DataFrame) -> Iterator[tuple[str, Read]]:
        """Each canonical column, in the order of ``Checked.rows``."""
        yield "id", self._ids(frame)
        yield "time", self._times(frame, "time")
        yield "account", self._texts(frame, "account")
        yield "counterparty", self._texts(frame, "counterparty")
        currency = self._currencies(frame)
        yield "amount", self._amounts(frame, currency.values)
        yield "currency", currency
        yield "channel", self._texts(frame, "channel", MAX_CHANNEL)
        label = self._labels_of(frame)
        yield "label", label
        yield "label_known_at", self._known_at(frame, label.values)
        if "bank" in self.mapping.columns:
            yield "bank", self._banks(frame)
        for name in self.mapping.extra:
            yield EXTRA_PREFIX + name, read_number(frame[name])

    def _column(self, frame: pl.DataFrame, role: str) -> pl.Series | None:
        name = self.mapping.columns.get(role)
        return None if name is None else frame[name]

    def _ids(self, frame: pl.DataFrame) -> Read:
        column = self._column(frame, "id")
        if column is not None:
            return read_text(column, required=True, max_length=MAX_NAME)
        made = frame.select(pl.lit(self.file_sha256[:24] + "-") + pl.col(LINE).cast(pl.String))
        return _good(made.to_series())

    def _times(self, frame: pl.DataFrame, role: str) -> Read:
        column = frame[self.mapping.columns[role]]
        unit = self.mapping.time_unit
        if unit is None or unit == "datetime":
            return read_time(column, zone=self.mapping.zone, now=self.now)
        return read_counted_time(column, unit=MICROSECONDS[unit], now=self.now)

    def _texts(self, frame: pl.DataFrame, role: str, max_length: int = MAX_NAME) -> Read:
        column = self._column(frame, role)
        if column is None:
            return _good(_constant(frame, "", pl.String()))
        required = role == "bank" or role in REQUIRED[self.mapping.kind]
        read = read_text(column, required=required, max_length=max_length)
        return Read(read.values.fill_null(""), read.rules)

    def _banks(self, frame: pl.DataFrame) -> Read:
        read = self._texts(frame, "bank")
        if self.own_bank is None:
            return read
        foreign = pl.col("rules").is_null() & (pl.col("values") != self.own_bank)
        rule = pl.when(foreign).then(pl.lit("bank_foreign")).otherwise("rules")
        both = pl.DataFrame({"values": read.values, "rules": read.rules})
        return Read(read.values, both.select(rules=rule).to_series())

    def _currencies(self, frame: pl.DataFrame) -> Read:
        column = self._column(frame, "currency")
        if column is not None:
            return read_currency(column)
        stated = YEN if self.mapping.amount_digits == 0 else NOT_STATED
        return _good(_constant(frame, stated, pl.String()))

    def _amounts(self, frame: pl.DataFrame, currency: pl.Series) -> Read:
        column = self._column(frame, "amount")
        if column is None:
            return _good(_constant(frame, 0, pl.Int64()))
        if "currency" in self.mapping.columns:
            return read_amount(column, decimals_of(currency))
        return read_amount(column, _constant(frame, self.mapping.amount_digits, pl.Int64()))

    def _labels_of(self, frame: pl.DataFrame) -> Read:
        column = self._column(frame, "label")
        return _good(_constant(frame, None, pl.Int8())) if column is None else read_label(column)

    def _known_at(self, frame: pl.DataFrame, label: pl.Series) -> Read:
        """When a label became known; null where there is none, or no such column."""
        if self._column(frame, "label_known_at") is None:
            return _good(_constant(frame, None, pl.Int64()))
        read = self._times(frame, "label_known_at")
        both = pl.DataFrame({"v": read.values, "r": read.rules, "label": label}).select(
            values=pl.when(pl.col("label").is_not_null()).then(pl.col("v")),
            rules=pl.when(pl.col("r") != "missing").then(pl.col("r")),
        )
        return Read(both["values"], both["rules"])

    def _errors(
        self, frame: pl.DataFrame, rules: pl.DataFrame, broken: pl.Series
    ) -> Iterator[RowError]:
        """The slow path, for bad rows only: one error for each rule broken."""
        if not broken.any():
            return
        bad, why = frame.filter(broken), rules.filter(broken)
        lines = bad[LINE]
        for role in why.columns:
            name = self._source_name(role)
            for place, rule in enumerate(why[role]):
                if rule is not None:
                    value = bad[name][place] if name in bad.columns else None
                    yield RowError.of(lines[place], name, value, rule)

    def _source_name(self, role: str) -> str:
        if role.startswith(EXTRA_PREFIX):
            return role.removeprefix(EXTRA_PREFIX)
        return self.mapping.columns.get(role, role)

    def _remember(self, rows: pl.DataFrame) -> None:
        for label, count in rows["label"].value_counts().iter_rows():
            self._labels[label] = self._labels.get(label, 0) + count
        leaks = set()
        for name in self.mapping.extra:
            column = rows[EXTRA_PREFIX + name]
            low, high = column.min(), column.max()
            if isinstance(low, float) and isinstance(high, float):
                before = self._ranges.get(name, (low, high))
                self._ranges[name] = (min(low, before[0]), max(high, before[1]))
            if column.equals(rows["label"].cast(pl.Float64)):
                leaks.add(name)
        if rows.height:
            self._leaks = leaks if self._leaks is None else self._leaks & leaks


def _good(values: pl.Series) -> Read:
    return Read(values, pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))


def _constant(frame: pl.DataFrame, value: object, dtype: pl.DataType) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, frame.height)


def _known_too_early(values: pl.DataFrame, rules: pl.DataFrame) -> pl.Series:
    """The rule column of label_known_at, with labels known before their payment added."""
    early = values["label_known_at"] < values["time"]
    both = pl.DataFrame({"rule": rules["label_known_at"], "early": early})
    rule = pl.when(pl.col("early")).then(pl.lit("label_known_before_payment")).otherwise("rule")
    return both.select(rule.alias("label_known_at")).to_series()
