"""A file of labels that came back: which payment, what it was, since when that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from banks.importing.batch import LINE, Batch
from banks.importing.errors import FileRefused, RowError
from banks.importing.rows import MAX_NAME
from banks.importing.times import read_time
from banks.importing.values import Read, judge_column, read_label, read_text
from consortium.protocol.errors import gettext_noop

KINDS: Final = ("chargeback", "correction")
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "id": ("transaction_id", "id", "取引番号", "取引id"),
    "label": ("label", "fraud", "ラベル"),
    "known_at": ("known_at", "label_known_at", "判明日時", "ラベル確定日時"),
    "kind": ("kind", "種別"),
}
KIND_WORDS: Final = {"チャージバック": "chargeback", "訂正": "correction", "": "chargeback"}


@dataclass(frozen=True, slots=True)
class CheckedLabels:
    """Good rows (LINE, id, label or null, known_at in µs, kind) and all errors of the others."""

    rows: pl.DataFrame
    errors: list[RowError]
    rows_read: int


@dataclass(frozen=True, slots=True)
class LabelChecker:
    """Checks the batches of one file; ``names`` says which of its columns plays which role.

    ``zone`` is for times without an offset, ``now`` in µs since 1970 UTC.
    """

    names: dict[str, str]
    zone: str
    now: int

    @classmethod
    def for_columns(cls, available: Sequence[str], *, zone: str, now: int) -> LabelChecker:
        """Find the columns by their names. Raises FileRefused where one is not there."""
        have = {name.strip().casefold(): name for name in available}
        found = {
            role: have[word] for role, words in COLUMNS.items() for word in words if word in have
        }
        for role in ("id", "label", "known_at"):
            if role not in found:
                raise FileRefused(
                    "label_columns",
                    gettext_noop(
                        "The file has no column %(name)s. A file of labels has the columns "
                        "transaction_id, label and known_at, and kind if you like."
                    ),
                    field="file",
                    name=COLUMNS[role][0],
                )
        return cls(found, zone, now)

    def check(self, batch: Batch) -> CheckedLabels:
        """Check one batch of rows."""
        reads = {
            "id": read_text(self._column(batch, "id"), required=True, max_length=MAX_NAME),
            "label": read_label(self._column(batch, "label")),
            "known_at": read_time(self._column(batch, "known_at"), zone=self.zone, now=self.now),
            "kind": self._kinds(batch),
        }
        values = pl.DataFrame(
            [batch.frame[LINE], *(read.values.alias(role) for role, read in reads.items())]
        )
        rules = pl.DataFrame([read.rules.alias(role) for role, read in reads.items()])
        broken = rules.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        errors = [*batch.errors, *self._errors(batch.frame, rules, broken)]
        errors.sort(key=lambda error: error.line)
        return CheckedLabels(values.filter(~broken), errors, len(batch.frame) + len(batch.errors))

    def _column(self, batch: Batch, role: str) -> pl.Series:
        return batch.frame[self.names[role]]

    def _kinds(self, batch: Batch) -> Read:
        if "kind" not in self.names:
            given = pl.Series([""]).new_from_index(0, batch.frame.height)
        else:
            given = self._column(batch, "kind").cast(pl.String).fill_null("")
        word = pl.col("v").str.strip_chars().str.to_lowercase()
        kind = word.replace(KIND_WORDS)
        return judge_column(given, kind, [("label_kind", ~kind.is_in(KINDS))])

    def _errors(
        self, frame: pl.DataFrame, rules: pl.DataFrame, broken: pl.Series
    ) -> list[RowError]:
        bad, why = frame.filter(broken), rules.filter(broken)
        return [
            RowError.of(bad[LINE][place], self.names[role], bad[self.names[role]][place], rule)
            for role in why.columns
            for place, rule in enumerate(why[role])
            if rule is not None
        ]
