"""From a number to the transactions that it counts: the same rows, no more and no fewer."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from django.db.models import OuterRef, Prefetch, Subquery

from banks.ml.encoding import IntArray
from banks.ml.evaluation import Confusion
from banks.ml.ranking import sigmoid
from banks.ml.scored import BANDS, CELLS, Mask, ScoredRows
from banks.ml.tallies import Counts, Tally
from banks.models import (
    Alert,
    EvaluatedRows,
    Evaluation,
    LabelEvent,
    ReasonCode,
    Transaction,
)
from banks.services.evaluated_rows import ARRAYS, tallied, unpacked

PAGE: Final = 50
AT_ONCE: Final = 5_000
CHANNEL, BAND, TYPOLOGY = "channel", "band", "typology"


@dataclass(frozen=True, eq=False)
class Window:
    """The transactions behind an evaluation's counts."""

    evaluation: Evaluation
    stored: EvaluatedRows  # its arrays are fetched only when rows are asked for

    @cached_property
    def rows(self) -> ScoredRows:
        return unpacked(self.stored)

    @cached_property
    def tally(self) -> Tally:
        return tallied(self.stored)

    @property
    def channel_names(self) -> list[str]:
        return self.stored.channel_names

    @property
    def frauds(self) -> list[int]:
        """The keys of the transactions known as fraud."""
        return [key for key, _bin in self.tally.frauds]

    @cached_property
    def typologies(self) -> dict[int, str]:
        """What analysts named the frauds among these rows, by the transaction's key."""
        return dict(
            Alert.objects.filter(
                bank_id=self.evaluation.bank_id,
                transaction_id__in=self.frauds,
                disposition=Alert.Disposition.FRAUD,
            ).values_list("transaction_id", "reason_code")
        )

    def names(self, split: str) -> list[tuple[str, str]]:
        """(value, name) of the parts of one kind."""
        if split == CHANNEL:
            return [(name, name) for name in self.channel_names if name]
        if split == BAND:
            return [(str(band), str(band)) for band in range(len(BANDS) + 1)]
        codes = sorted(set(self.typologies.values()))
        return [(code, str(ReasonCode(code).label)) for code in codes]

    def part(self, split: str, value: str) -> Mask | None:
        """The rows of one channel, amount band or typology; None where there is no such part."""
        if split == CHANNEL and value in self.channel_names:
            return np.equal(self.rows.channels, self.channel_names.index(value))
        if split == BAND and value in dict(self.names(BAND)):
            return np.equal(self.rows.bands, int(value))
        if split == TYPOLOGY and value in self.typologies.values():
            return np.isin(self.rows.keys, list(self._named(value)))
        return None

    def counts(self, split: str, value: str) -> Counts:
        """The same rows by bin, without opening them; the part must exist."""
        if split == CHANNEL:
            return self.tally.channels[self.channel_names.index(value)]
        if split == BAND:
            return self.tally.bands[int(value)]
        return self.tally.counts_of_frauds(self._named(value))

    def _named(self, typology: str) -> set[int]:
        return {key for key, code in self.typologies.items() if code == typology}


@dataclass(frozen=True)
class Split:
    """One part of the window with its counts by bin."""

    kind: str
    value: str
    name: str
    counts: list[list[int]]  # genuine, fraud

    def confusion(self, cut: int) -> Confusion:
        """This part's matrix when scores from bin ``cut`` on alert."""
        genuine, fraud = self.counts
        return Confusion(
            tp=sum(fraud[cut:]), fp=sum(genuine[cut:]), fn=sum(fraud[:cut]), tn=sum(genuine[:cut])
        )


@dataclass(frozen=True)
class Selection:
    """The rows a reader opens: a cell of the matrix, or of one part of it."""

    cell: str
    cut: int
    split: str = ""
    value: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], cut: int) -> Selection | None:
        """From an address, at first the frauds caught; None where there is no such cell."""
        cell = query.get("cell", "tp")
        if cell not in CELLS:
            return None
        return cls(cell, cut, query.get("split", "")[:10], query.get("value", "")[:24])


@dataclass(frozen=True)
class Row:
    """A transaction as it was counted: score and label of that moment; the present ones beside."""

    transaction: Transaction
    probability: float
    label: int
    note: str

    @property
    def alert(self) -> Alert | None:
        return next(iter(self.transaction.alerts.all()), None)

    @property
    def label_changed(self) -> bool:
        return self.transaction.label != self.label


@dataclass(frozen=True)
class Opened:
    """A page of the rows behind a number, the highest score first."""

    rows: list[Row]
    total: int
    amount: int
    first: int
    next_after: int | None


@dataclass(frozen=True)
class LabelSources:
    """Where the labels of the known frauds in a window come from."""

    total: int
    by_source: dict[str, int] = field(default_factory=dict)

    @property
    def imported(self) -> int:
        return self.total - sum(self.by_source.values())

    @property
    def sampled(self) -> int:
        return self.by_source.get(LabelEvent.Source.SAMPLE, 0)

    @property
    def named(self) -> list[tuple[str, int]]:
        return [(str(LabelEvent.Source(name).label), n) for name, n in self.by_source.items()]


def window_of(evaluation: Evaluation) -> Window | None:
    """The rows behind an evaluation; None where they were not kept."""
    found = EvaluatedRows.objects.filter(evaluation=evaluation).defer(*ARRAYS).first()
    return Window(evaluation, found) if found else None


def splits(window: Window) -> list[Split]:
    """The window by channel, amount band and, where analysts named it, typology."""
    return [
        Split(kind, value, name, counts)
        for kind in (CHANNEL, BAND, TYPOLOGY)
        for value, name in window.names(kind)
        if any(map(any, counts := window.counts(kind, value)))
    ]


def chosen(window: Window, selection: Selection) -> Mask | None:
    """Which rows a selection counts; None where its part does not exist."""
    which = window.rows.cell(selection.cell, selection.cut)
    if not selection.split:
        return which
    part = window.part(selection.split, selection.value)
    return None if part is None else which & part


def opened(window: Window, which: Mask, *, after: int = 0) -> Opened:
    """One page of chosen rows."""
    places = window.rows.by_score(which)
    page = places[after : after + PAGE]
    more = after + PAGE < len(places)
    return Opened(
        rows=list(rows_at(window, page)),
        total=len(places),
        amount=int(window.rows.amounts[which].sum()),
        first=after + 1,
        next_after=after + PAGE if more else None,
    )


def rows_at(window: Window, places: IntArray) -> Iterator[Row]:
    """The transactions at these places of the window, in their order."""
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        keys = window.rows.keys[some].tolist()
        found = _transactions(window.evaluation.bank_id, keys)
        for place, key in zip(some.tolist(), keys, strict=True):
            if transaction := found.get(key):
                yield Row(
                    transaction=transaction,
                    probability=float(sigmoid(window.rows.logits[place])),
                    label=int(window.rows.labels[place]),
                    note=transaction.last_word or "",
                )


def label_sources(window: Window) -> LabelSources:
    """How the window's frauds became known, by the last word on each."""
    frauds = window.frauds
    last = dict(
        LabelEvent.objects.filter(
            bank_id=window.evaluation.bank_id, transaction_id__in=frauds, value=1
        )
        .order_by("known_at", "pk")
        .values_list("transaction_id", "source")
    )
    return LabelSources(total=len(frauds), by_source=dict(Counter(last.values())))


def _transactions(bank_id: uuid.UUID, keys: list[int]) -> dict[int, Any]:
    said = LabelEvent.objects.filter(transaction=OuterRef("pk")).order_by("-known_at", "-pk")
    alerts = Alert.objects.only(
        "pk", "transaction_id", "status", "disposition", "note", "blind", "sample"
    )
    return (
        Transaction.objects.filter(bank_id=bank_id)
        .annotate(last_word=Subquery(said.values("reason")[:1]))
        .prefetch_related(Prefetch("alerts", queryset=alerts))
        .in_bulk(keys)
    )
