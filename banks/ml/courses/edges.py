"""The first sum of most courses: counts by class, from which everyone cuts the same edges.

All labelled rows are counted. Genuine counts are then scaled to the share that training keeps, so
the banks also know one common share, whatever each bank's size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from banks.ml.courses.base import Own, State, Window
from banks.ml.encoding import Arrays, IntArray
from banks.ml.examples import Examples, prepare, prepare_bins
from banks.ml.linear import SAFE_DIGITS
from banks.ml.piecewise import CELLS, EdgePolicy, PiecewiseLinear, class_histograms, coarser
from banks.ml.sampling import negative_rate
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import Step

NAME = "histograms"
BITS = 32
PPM = 1_000_000


@dataclass(frozen=True, eq=False)
class Edges:
    """The encoding that came of the counts, the share of genuine rows to train on, and the logit
    of the banks' common fraud rate.
    """

    encoder: PiecewiseLinear
    rate_ppm: int
    prior: float

    @property
    def rate(self) -> float:
        return self.rate_ppm / PPM

    @property
    def facts(self) -> dict[str, int]:
        return {"rate_ppm": self.rate_ppm}

    @property
    def arrays(self) -> Arrays:
        return {**self.encoder.arrays(), "prior": np.array([self.prior])}

    @classmethod
    def of(cls, state: State) -> Edges:
        """Those that an earlier state of a course came to."""
        encoder = PiecewiseLinear.from_arrays(state.arrays)
        return cls(encoder, int(state.facts["rate_ppm"]), float(state.arrays["prior"][0]))

    @classmethod
    def cut(cls, values: IntArray, features: int, policy: EdgePolicy | None = None) -> Edges:
        """From the opened counts; raises Refused where they are impossible or of one class."""
        hist = np.asarray(values).reshape(features, 2, -1)
        if (hist < 0).any() or (hist.sum(axis=2) != hist[0].sum(axis=1)).any():
            raise Refused(
                "class_histograms",
                gettext_noop("The class histograms are impossible; the round must be repeated."),
            )
        genuine, frauds = (int(count) for count in hist[0].sum(axis=1))
        rate_ppm = round(negative_rate(genuine) * PPM)
        kept = hist.copy()
        kept[:, 0] = np.rint(hist[:, 0] * (rate_ppm / PPM)).astype(np.int64)
        encoder = PiecewiseLinear.from_histograms(kept, policy)  # refuses a single class
        return cls(encoder, rate_ppm, round(math.log(frauds / genuine), SAFE_DIGITS))

    def examples(self, rows: Window, seed: int) -> Examples:
        """Encoded training rows, sampled at the common share."""
        return prepare(self.encoder, rows.X, rows.labels, rows.ids, seed=seed, rate=self.rate)

    def bins(self, rows: Window, seed: int, rate: float | None = None) -> Examples:
        """The same rows as bins, for trees; ``rate`` 1.0 keeps all labelled ones."""
        chosen = self.rate if rate is None else rate
        return prepare_bins(self.encoder, rows.X, rows.labels, rows.ids, seed=seed, rate=chosen)


def step(features: int, cells: int, remaining: int) -> Step:
    """The sum that asks for the counts."""
    return Step(NAME, BITS, features * 2 * (cells + 1), remaining)


def vector(own: Own, cells: int) -> IntArray:
    """One bank's counts per feature, class and cell."""
    known = own.train.labels >= 0
    hist = class_histograms(own.train.X[known], own.train.labels[known])
    return coarser(hist, CELLS // cells).ravel()


def with_edges(step: Step, edges: Edges, facts: dict[str, Any], arrays: Arrays) -> State:
    """A state that carries the edges along."""
    return State(step, {**edges.facts, **facts}, {**edges.arrays, **arrays})
