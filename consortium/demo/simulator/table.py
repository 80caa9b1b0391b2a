"""Rows while they are made, and the finished table in the canonical columns."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CARD, ATM, INTERNET, TRANSFER = range(4)
CHANNELS = np.array(["card", "atm", "internet", "transfer"])

COLUMNS = (
    "id", "time", "account", "counterparty", "amount", "currency", "channel", "label",
    "label_known_at",
)  # fmt: skip
MAPPING: dict[str, Any] = {
    "columns": {name: name for name in COLUMNS},
    "zone": "Asia/Tokyo",
    "kind": "behaviour",
    "amount_digits": 0,
}


@dataclass(frozen=True)
class Rows:
    """One entry a transaction: customer, time in days, channel, shop or payee, yen, and kind.

    ``kind`` is 0 for genuine, else 1 + the place in ``TYPOLOGIES``.
    """

    who: NDArray[np.int64]
    times: NDArray[np.float64]
    channel: NDArray[np.int64]
    place: NDArray[np.int64]
    amount: NDArray[np.float64]
    kind: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.who)

    def take(self, which: NDArray[Any]) -> Rows:
        """The rows at these places, or where this mask is true."""
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))


def joined(parts: list[Rows]) -> Rows:
    """All rows in order of time."""
    columns = (
        np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)
    )
    rows = Rows(*columns)
    return rows.take(np.argsort(rows.times, kind="stable"))


@dataclass(frozen=True)
class Table:
    """Canonical columns as text, by name; ``kind`` (see ``Rows``) is the truth, never written."""

    columns: dict[str, NDArray[np.str_]]
    kind: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)

    def write_csv(self, path: Path) -> None:
        """Write what a bank would upload; ``MAPPING`` reads it."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(zip(*(self.columns[name] for name in COLUMNS), strict=True))
