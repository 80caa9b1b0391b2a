"""Rows ready to train on: sampled by id, encoded or binned, with the rate they were sampled at.

Fraud is rare, so genuine rows are sampled at a rate r. Every loss sees the logit shifted by −log r,
which undoes the sampling exactly (King and Zeng 2001): a model's own logit stays that of the true
fraud rate, and banks with different rates can still train one model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml import sampling
from banks.ml.encoding import Encoder
from banks.ml.piecewise import PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop


@dataclass(frozen=True, eq=False)
class Examples:
    """Encoded inputs (or bins), labels 0 and 1, and the rate at which genuine rows were kept."""

    inputs: NDArray[np.float32] | NDArray[np.int16]
    labels: NDArray[np.float32]
    rate: float = 1.0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def frauds(self) -> int:
        return int(self.labels.sum())

    @property
    def offset(self) -> float:
        """Added to a logit, it becomes the logit among the sampled rows."""
        return -math.log(self.rate)


def prepare(
    encoder: Encoder,
    X: ArrayLike,
    labels: ArrayLike,
    ids: ArrayLike,
    *,
    seed: int,
    rate: float | None = None,
) -> Examples:
    """Sample genuine rows by id and encode what remains; rows without a label (−1) are left out.

    X is features [n, F], labels int8 [n], ids text [n]. ``rate`` None lets the number of genuine
    rows decide. Raises Refused when no labelled row is left.
    """
    y, keep, chosen_rate = _chosen_rows(labels, ids, seed, rate)
    return Examples(encoder.encode(np.asarray(X)[keep]), y[keep], chosen_rate)


def prepare_bins(
    encoder: PiecewiseLinear,
    X: ArrayLike,
    labels: ArrayLike,
    ids: ArrayLike,
    *,
    seed: int,
    rate: float | None = None,
) -> Examples:
    """The same rows as ``prepare`` chooses, as the encoder's bins: what trees grow on."""
    y, keep, chosen_rate = _chosen_rows(labels, ids, seed, rate)
    return Examples(encoder.bins(np.asarray(X)[keep]), y[keep], chosen_rate)


def _chosen_rows(
    labels: ArrayLike, ids: ArrayLike, seed: int, rate: float | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_], float]:
    y = np.asarray(labels)
    chosen_rate = sampling.negative_rate(int((y == 0).sum())) if rate is None else rate
    keep = sampling.sample(y, sampling.row_keys(ids), chosen_rate, seed)
    if not keep.any():
        raise Refused("no_examples", gettext_noop("There is no labelled transaction to train on."))
    return y.astype(np.float32), keep, chosen_rate
