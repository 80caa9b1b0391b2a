"""How fast one payment is scored from raw, and how many a second from features, in process."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.encoding import Standardiser, statistics
from banks.ml.examples import prepare, prepare_bins
from banks.ml.features import FeaturePlan, build_features, feature_names
from banks.ml.models import MLP, Blend, Model, initial_parameters, mlp_spec
from banks.ml.newton import fit_logistic
from banks.ml.online import State, Transaction
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from consortium.benchmarks.payments import random_payments

ROWS = 60_000
DAYS = 60
ACCOUNTS = 400
COUNTERPARTIES = 1_500
SINGLE = 2_000
BATCH = 200_000
DEFAULT = "blend"


def run(seed: int = 0) -> dict[str, Any]:
    """Measure on random payments: CPU time of one core, so that other processes do not count.

    Returns milliseconds "one_ms_p50" and "one_ms_p99" (features from stored state, then the score)
    and "batch_per_second" (features given) of the default scorer, and the same under "models" for
    each family.
    """
    frame = random_payments(
        ROWS, days=DAYS, accounts=ACCOUNTS, counterparties=COUNTERPARTIES, seed=seed
    )
    plan = FeaturePlan()
    past, coming = frame[: ROWS - SINGLE], frame[ROWS - SINGLE :]
    models = _models(past, plan, seed)
    state = State.from_frame(past, plan)
    matrix = np.resize(_matrix(coming, plan), (BATCH, len(feature_names(plan))))
    transactions = [_transaction(row) for row in coming.iter_rows(named=True)]
    measured = {
        name: _measure(model, state, transactions, matrix) for name, model in models.items()
    }
    return {**measured[DEFAULT], "model": DEFAULT, "models": measured}


def _measure(
    model: Model, state: State, transactions: list[Transaction], matrix: NDArray[np.float32]
) -> dict[str, float]:
    def score(transaction: Transaction) -> None:
        model.logits(state.features_for(transaction)[None])

    for transaction in transactions[:100]:
        score(transaction)
    single = [1000 * _seconds(partial(score, one)) for one in transactions]
    batch = _seconds(lambda: model.logits(matrix))
    return {
        "one_ms_p50": round(float(np.quantile(single, 0.5)), 4),
        "one_ms_p99": round(float(np.quantile(single, 0.99)), 4),
        "batch_per_second": round(len(matrix) / batch),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def _models(past: pl.DataFrame, plan: FeaturePlan, seed: int) -> dict[str, Model]:
    """The families at their default sizes, trained just enough to be real."""
    names = feature_names(plan)
    X, labels, ids = _matrix(past, plan), past["label"].to_numpy(), past["id"].to_numpy()
    piecewise = PiecewiseLinear.from_histograms(class_histograms(X, labels))
    standard = Standardiser.from_sums(statistics(X))
    spec = mlp_spec(names)
    logistic = fit_logistic(
        names, piecewise, [prepare(piecewise, X, labels, ids.astype(str), seed=seed)]
    )
    binned = prepare_bins(piecewise, X, labels, ids.astype(str), seed=seed)
    trees = fit_trees(names, piecewise, [binned], [], TreePlan(seed=seed))
    return {
        "mlp": MLP(spec, standard, initial_parameters(spec, seed)),
        "logistic": logistic,
        "trees": trees,
        "blend": Blend((logistic, trees), np.full(2, 0.5)),
    }


def _matrix(frame: pl.DataFrame, plan: FeaturePlan) -> NDArray[np.float32]:
    return build_features(frame, plan).drop("id").to_numpy()


def _transaction(row: dict[str, Any]) -> Transaction:
    return Transaction(
        time=row["time"],
        amount=row["amount"],
        account=row["account"],
        counterparty=row["counterparty"],
    )
