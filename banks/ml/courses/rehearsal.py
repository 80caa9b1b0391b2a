"""A course gone through by one bank alone, to know what it will ask for and what that takes.

The sums of one bank stand for those of all: lengths follow from its own rows, which are near the
consortium's, and nothing of it is kept but names, lengths and seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from banks.ml.courses.base import Course, Opened, Own, State, Window
from banks.ml.models.base import Model
from consortium.protocol.spec import Step

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Rehearsed:
    """A step, with the seconds of a vector of all rows for it and of going on from its sum."""

    step: Step
    vector: float
    advance: float


@dataclass(frozen=True, eq=False)
class _Rows:
    X: NDArray[np.float32]
    labels: NDArray[np.int8]
    ids: NDArray[np.str_]
    accounts: NDArray[np.str_]


def rehearse(
    course: Course, own_for: Callable[[State], Own], *, seed: int
) -> tuple[list[Rehearsed], Model]:
    """All steps and the model that comes out; ``own_for`` gives the rows that a state is about.

    With more than ``MOST_ROWS`` training rows a sample of them is gone through, and the seconds of
    a vector are scaled. Raises Refused where a bank alone does not come to a model.
    """
    state, done = course.begin(seed), []
    while True:
        own = own_for(state)
        scale = max(1.0, len(own.train.labels) / MOST_ROWS)
        sample = replace(own, train=_sampled(own.train), validation=_sampled(own.validation))
        began = time.perf_counter()
        vector = course.vector(state, sample)
        summed = time.perf_counter()
        follows = course.advance(state, Opened(vector, frozenset({own.place})))
        ended = time.perf_counter()
        done.append(Rehearsed(state.step, scale * (summed - began), ended - summed))
        if not isinstance(follows, State):
            return done, follows
        state = follows


def _sampled(rows: Window) -> Window:
    """Every k-th row: fraud keeps its share, and the sample covers the whole period."""
    every = -(-len(rows.labels) // MOST_ROWS)
    if every < 2:
        return rows
    parts = (rows.X, rows.labels, rows.ids, rows.accounts)
    return _Rows(*(part[::every] for part in parts))
