"""Cuts of a window by what people ask about: the channel, the size of the amount, the typology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_CHANNELS = 12


@dataclass(frozen=True, eq=False)
class Segment:
    """``name`` is a channel, a number of digits (amounts below that power of ten), or a typology;
    ``rows`` says which rows belong to it."""

    kind: str
    name: str
    rows: NDArray[np.bool_]


def by_channel(channels: ArrayLike) -> Iterator[Segment]:
    """The most frequent channels; nothing where the data name only one."""
    names, counts = np.unique(np.asarray(channels), return_counts=True)
    named = names != ""
    names, counts = names[named], counts[named]
    if len(names) < 2:
        return
    for place in np.argsort(-counts, kind="stable")[:MOST_CHANNELS]:
        yield Segment("channel", str(names[place]), np.asarray(channels) == names[place])


def by_amount(amounts: ArrayLike) -> Iterator[Segment]:
    """Bands of a factor of ten in minor units: digits 4 holds 1,000 to 9,999."""
    digits = np.floor(np.log10(np.maximum(np.asarray(amounts, dtype=np.float64), 1.0))) + 1
    for number in np.unique(digits):
        yield Segment("amount", str(int(number)), digits == number)


def by_typology(typologies: ArrayLike, labels: ArrayLike) -> Iterator[Segment]:
    """Frauds of each named typology among all genuine rows."""
    names, y = np.asarray(typologies), np.asarray(labels)
    for name in np.unique(names[(y == 1) & (names != "")]):
        yield Segment("typology", str(name), (y == 0) | ((y == 1) & (names == name)))
