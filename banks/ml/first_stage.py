"""What a payment and its account alone say: the score that tells which frauds are *unexplained*.

A known fraud that the account's own behaviour explains says nothing about the counterparty; one
that it does not explain points there. So a small model on payment and account features scores all
payments, never one that it was trained on: rows after the cut by a model of the rows before it,
rows before it by the model of the accounts' other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banks.ml.examples import Examples
from banks.ml.models.logistic import Logistic
from banks.ml.newton import fit_logistic
from banks.ml.piecewise import EdgePolicy, PiecewiseLinear, class_histograms
from banks.ml.ranking import sigmoid
from banks.ml.sampling import negative_rate, sample, uniform
from banks.ml.summing import Adder, plain_sum
from consortium.protocol.errors import Refused

POLICY = EdgePolicy(least_share_ppm=3_500)
FOLD_SALT = 0x5EED
TrainScore = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class FirstStageRows:
    """One bank's rows: features [n, F], labels (−1 unknown), keys of id and account, and whether
    the row lies before the cut.
    """

    X: NDArray[np.float32]
    labels: NDArray[np.int8]
    row_keys: NDArray[np.uint64]
    account_keys: NDArray[np.uint64]
    early: NDArray[np.bool_]


def first_stage(
    features: tuple[str, ...],
    banks: Sequence[FirstStageRows],
    *,
    seed: int,
    add: Adder = plain_sum,
) -> list[NDArray[np.float32]]:
    """Each bank's out-of-sample probabilities of fraud, float32[n] in its own row order.

    Where the early rows hold only one class there is nothing to explain frauds by: all 0.
    """
    scores = [np.zeros(len(bank.labels), dtype=np.float32) for bank in banks]
    for parts in _trainings(banks, seed):
        try:
            model = _fit(features, banks, [train for train, _ in parts], seed, add)
        except Refused as refusal:
            if refusal.code != "one_class":
                raise
            continue
        for bank, score, (_, scored) in zip(banks, scores, parts, strict=True):
            score[scored] = sigmoid(model.logits(bank.X[scored]))
    return scores


def _trainings(banks: Sequence[FirstStageRows], seed: int) -> list[list[TrainScore]]:
    """Per training, each bank's rows to train on and rows to score."""
    after = [(bank.early, ~bank.early) for bank in banks]
    halves = [uniform(bank.account_keys, seed ^ FOLD_SALT) < 0.5 for bank in banks]
    first = [(b.early & half, b.early & ~half) for b, half in zip(banks, halves, strict=True)]
    second = [(scored, trained) for trained, scored in first]
    return [after, first, second]


def _fit(
    features: tuple[str, ...],
    banks: Sequence[FirstStageRows],
    masks: list[NDArray[np.bool_]],
    seed: int,
    add: Adder,
) -> Logistic:
    rate = negative_rate(
        sum(int((bank.labels[mask] == 0).sum()) for bank, mask in zip(banks, masks, strict=True))
    )
    chosen = [
        mask & sample(bank.labels, bank.row_keys, rate, seed)
        for bank, mask in zip(banks, masks, strict=True)
    ]
    rows = [(bank.X[mask], bank.labels[mask]) for bank, mask in zip(banks, chosen, strict=True)]
    hist = add([class_histograms(X, y).ravel() for X, y in rows])
    encoder = PiecewiseLinear.from_histograms(hist.reshape(len(features), 2, -1), POLICY)
    examples = [Examples(encoder.encode(X), y.astype(np.float32), rate) for X, y in rows]
    return fit_logistic(features, encoder, examples, add=add)
