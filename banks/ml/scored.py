"""An evaluated window row by row, so that every count can be opened: no figure without its rows.

A confusion matrix, a split and a comparison are all read from the same arrays, in the same order
as the model scored them; they cannot disagree with what a reader then finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import FloatArray, IntArray
from banks.ml.evaluation import GRID
from banks.ml.schema import DAY

Mask = NDArray[np.bool_]
CELLS: Final = {"tp": (1, True), "fn": (1, False), "fp": (0, True), "tn": (0, False)}
BANDS: Final = (10_000, 100_000, 1_000_000)  # minor units: ¥10,000 or $100.00 and up
WEEK: Final = 7 * DAY


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """The labelled rows of one window in order of time; times in µs since 1970.

    ``channels`` holds places in a list of names kept beside it.
    """

    keys: IntArray
    logits: FloatArray
    labels: NDArray[np.int8]
    amounts: IntArray
    times: IntArray
    channels: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.keys)

    def pack(self) -> dict[str, bytes]:
        """Little-endian bytes of each array, by its name."""
        return {name: _little(getattr(self, name)).tobytes() for name in _DTYPES}

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> ScoredRows:
        """Inverse of ``pack``."""
        return cls(**{name: np.frombuffer(packed[name], dtype) for name, dtype in _DTYPES.items()})

    @cached_property
    def bins(self) -> NDArray[np.intp]:
        """The bin of the score grid in which each row lies."""
        return GRID.bin_of(self.logits)

    @property
    def histogram(self) -> IntArray:
        """int64[2, bins]: genuine, fraud."""
        return self.counts(np.ones(len(self), dtype=bool))

    def counts(self, which: Mask) -> IntArray:
        """The same for some of the rows."""
        return np.array(
            [
                np.bincount(self.bins[which & (self.labels == label)], minlength=GRID.bins)
                for label in (0, 1)
            ],
            dtype=np.int64,
        )

    @property
    def genuine_amount(self) -> IntArray:
        """Minor units of genuine transactions in each bin."""
        amounts = np.zeros(GRID.bins, dtype=np.int64)
        genuine = self.labels == 0
        np.add.at(amounts, self.bins[genuine], self.amounts[genuine])
        return amounts

    def cell(self, name: str, cut: int) -> Mask:
        """The rows that a cell of the matrix counts when scores from bin ``cut`` on alert."""
        label, alerts = CELLS[name]
        found: Mask = (self.labels == label) & ((self.bins >= cut) == alerts)
        return found

    def top(self, alerts: int) -> Mask:
        """The ``alerts`` highest scores, whoever came first among equals."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[np.argsort(-self.logits, kind="stable")[:alerts]] = True
        return chosen

    def by_score(self, which: Mask) -> IntArray:
        """Places of the chosen rows, the highest score first."""
        order = np.argsort(-self.logits, kind="stable")
        return order[which[order]]

    def weeks(self) -> Iterator[tuple[int, Mask]]:
        """(begin in µs, rows) of each seven days, counted back from the last row; oldest first."""
        if not len(self):
            return
        last, first = int(self.times[-1]) + 1, int(self.times[0])
        for back in range(-(-(last - first) // WEEK), 0, -1):
            begin = last - back * WEEK
            yield begin, (self.times >= begin) & (self.times < begin + WEEK)

    @cached_property
    def bands(self) -> NDArray[np.intp]:
        """The amount band of each row: 0 below the first limit."""
        return np.searchsorted(np.array(BANDS), self.amounts, side="right")


_DTYPES: Final = dict(
    zip(
        (one.name for one in fields(ScoredRows)),
        ("<i8", "<f8", "<i1", "<i8", "<i8", "<i2"),
        strict=True,
    )
)


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
