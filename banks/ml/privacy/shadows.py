"""How shadow models are trained: like their model, and like one that must be caught."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.encoding import FloatArray
from banks.ml.examples import Examples
from banks.ml.models import (
    ELM,
    MLP,
    Blend,
    Logistic,
    Model,
    Trees,
    initial_parameters,
    predict_logits,
)
from banks.ml.newton import fit_logistic
from banks.ml.oneshot import fit_elm
from banks.ml.privacy.lira import Fit, Mask
from consortium.protocol.errors import Refused, gettext_noop

EPOCHS = 10
LOGIT_LIMIT = 12.0
Matrix = NDArray[np.floating]
Labels = NDArray[np.integer]


def like(model: Model, X: Matrix, labels: Labels) -> Fit:
    """A trainer of the same family on the model's own encoding, of the same size."""
    if isinstance(model, Blend):
        fits = [like(part, X, labels) for part in model.parts]
        weights = [float(weight) for weight in model.weights]
        return lambda learned, seed: np.average(
            [fit(learned, seed) for fit in fits], axis=0, weights=weights
        )
    if isinstance(model, Trees):
        return _trees(model, X, labels)
    if isinstance(model, Logistic | ELM | MLP):
        return _encoded(model, X, labels)
    raise Refused("family", gettext_noop("The model's family is unknown."))


def by_heart(X: Matrix, labels: Labels) -> Fit:
    """The control: boosted trees without any restraint. A test that misses it says nothing.

    A coin decides the labels of its frauds, so that on easy data too it can only learn by heart.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    coin = np.random.default_rng(0).integers(0, 2, len(labels))
    told = np.where(labels == 1, coin, labels)
    known = np.nan_to_num(X, nan=-1.0)  # sklearn cannot bin a column in which all is missing

    def fit(learned: Mask, seed: int) -> FloatArray:
        model = HistGradientBoostingClassifier(
            max_iter=40,
            max_depth=12,
            min_samples_leaf=1,
            learning_rate=0.3,
            early_stopping=False,
            random_state=seed,
        ).fit(known[learned], told[learned])
        logits: FloatArray = np.clip(model.decision_function(known), -LOGIT_LIMIT, LOGIT_LIMIT)
        return logits

    return fit


def _trees(model: Trees, X: Matrix, labels: Labels) -> Fit:
    bins = model.encoder.bins(X)
    trees = len(model.forest.feature)

    def fit(learned: Mask, seed: int) -> FloatArray:
        rows = Examples(bins[learned], labels[learned].astype(np.float32))
        plan = TreePlan(trees=trees, depth=model.forest.depth, seed=seed)
        return fit_trees(model.features, model.encoder, [rows], [], plan).forest.logits(bins)

    return fit


def _encoded(model: Logistic | ELM | MLP, X: Matrix, labels: Labels) -> Fit:
    inputs = model.encoder.encode(X)

    def fit(learned: Mask, seed: int) -> FloatArray:
        rows = Examples(inputs[learned], labels[learned].astype(np.float32))
        if isinstance(model, MLP):
            return _perceptron(model, rows, inputs, seed)
        if isinstance(model, ELM):
            neurons = model.spec.hidden[0]
            trained: Model = fit_elm(
                model.features, model.encoder, [rows], seed=seed, neurons=neurons
            )
        else:
            trained = fit_logistic(model.features, model.encoder, [rows])
        return trained.logits(X)

    return fit


def _perceptron(model: MLP, rows: Examples, inputs: NDArray[np.float32], seed: int) -> FloatArray:
    from banks.ml.training import TrainingPlan, local_update

    start = initial_parameters(model.spec, seed)
    update = local_update(
        model.spec, start, rows, TrainingPlan(epochs=EPOCHS), round_index=0, seed=seed
    )
    return predict_logits(model.spec, start + update.delta, inputs)
