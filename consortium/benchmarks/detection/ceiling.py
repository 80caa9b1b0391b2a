"""XGBoost as the yardstick: pooled it is the ceiling, alone it is what a bank has today.

Needs ``requirements-bench.txt``; without it the rows are left out.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banks.ml.encoding import FloatArray
from consortium.benchmarks.detection.data import Window

FEW_FRAUDS = 100
ROUNDS_ALONE = 60
MOST_ROUNDS = 1_000
PATIENCE = 50


def available() -> bool:
    """Whether XGBoost is installed."""
    return importlib.util.find_spec("xgboost") is not None


class Boosted:
    """A trained booster whose logits have the sampling undone; ``columns`` selects features."""

    def __init__(self, train: Window, rate: float, seed: int, columns: np.ndarray | None) -> None:
        import xgboost

        self._xgboost = xgboost
        self.columns = slice(None) if columns is None else columns
        self.shift = float(np.log(rate))
        self.data = self._matrix(train.X, train.y)
        self.settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": 6,
            "eta": 0.1,
            "subsample": 0.8,
            "colsample_bytree": 0.6,
            "min_child_weight": 1 if int((train.y == 1).sum()) < FEW_FRAUDS else 5,
            "lambda": 2,
            "eval_metric": "aucpr",
            "nthread": 1,
            "seed": seed,
        }

    def fit_until(self, validation: Window) -> Boosted:
        """Stop when average precision on the validation window no longer rises."""
        self.booster = self._xgboost.train(
            self.settings,
            self.data,
            MOST_ROUNDS,
            evals=[(self._matrix(validation.X, validation.y), "validation")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        self.rounds = self.booster.best_iteration + 1
        return self

    def fit_fixed(self) -> Boosted:
        """A fixed number of rounds: a bank's few validation frauds stop too unevenly."""
        self.booster = self._xgboost.train(self.settings, self.data, ROUNDS_ALONE)
        self.rounds = ROUNDS_ALONE
        return self

    def logits(self, X: NDArray[np.float32]) -> FloatArray:
        """Logits of the true fraud rate, float64[n]."""
        margins = self.booster.predict(
            self._matrix(X, None), output_margin=True, iteration_range=(0, self.rounds)
        )
        return np.asarray(margins, dtype=np.float64) + self.shift

    def _matrix(self, X: NDArray[np.float32], y: NDArray[np.int8] | None) -> Any:
        return self._xgboost.DMatrix(X[:, self.columns], label=y)
