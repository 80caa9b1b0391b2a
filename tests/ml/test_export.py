"""An exported model scores in onnxruntime as it does here, missing and huge values included."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.encoding import Standardiser, statistics
from banks.ml.examples import prepare, prepare_bins
from banks.ml.export import to_onnx
from banks.ml.models import MLP, Blend, ModelSpec, initial_parameters, mlp_spec
from banks.ml.newton import fit_logistic
from banks.ml.oneshot import fit_elm
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from tests.ml.worlds import world

X, Y, IDS = world(rows=5000)
NAMES = tuple(f"f{i}" for i in range(6))
ENCODER = PiecewiseLinear.from_histograms(class_histograms(X, Y))
ROWS = prepare(ENCODER, X, Y, IDS, seed=1, rate=0.5)
BINS = prepare_bins(ENCODER, X, Y, IDS, seed=1, rate=0.5)
LOGISTIC = fit_logistic(NAMES, ENCODER, [ROWS])
TREES = fit_trees(NAMES, ENCODER, [BINS], [BINS], TreePlan(trees=12, depth=4, seed=4))
SPEC = mlp_spec(NAMES)
PIECEWISE = ModelSpec("mlp", NAMES, inputs=ENCODER.width, hidden=(8,))
MODELS = {
    "logistic": LOGISTIC,
    "trees": TREES,
    "elm": fit_elm(NAMES, ENCODER, [ROWS], seed=7, neurons=32),
    "mlp": MLP(SPEC, Standardiser.from_sums(statistics(X)), initial_parameters(SPEC, 3)),
    "mlp on ramps": MLP(PIECEWISE, ENCODER, initial_parameters(PIECEWISE, 3)),
    "blend": Blend((LOGISTIC, TREES), np.array([0.4, 0.6])),
}
HARD = np.array(
    [[np.nan] * 6, [0.0] * 6, [1e12] * 6, [-1e12] * 6, [np.inf] * 6, [-np.inf] * 6, [1e-9] * 6]
)


def run(content, rows):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["logit", "probability"], {"features": rows})


@pytest.mark.parametrize("name", MODELS)
def test_scores_elsewhere_are_ours(name):
    model = MODELS[name]
    rows = np.vstack([X, HARD]).astype(np.float32)
    logit, probability = run(to_onnx([(model, 1.0)], NAMES, {}), rows)
    assert np.abs(logit - model.logits(rows)).max() < 1e-5
    assert np.abs(probability - 1 / (1 + np.exp(-model.logits(rows)))).max() < 1e-6


def test_models_with_features_of_their_own_are_joined():
    few = NAMES[:3]
    encoder = Standardiser.from_sums(statistics(X[:, :3]))
    own = MLP(mlp_spec(few), encoder, initial_parameters(mlp_spec(few), 5))
    order = ("f2", "f5", "f0", "f1", "f4", "f3")
    rows = X[:, [int(name[1]) for name in order]].astype(np.float32)
    content = to_onnx([(own, 0.25), (LOGISTIC, 0.75)], order, {"sha256": "5a"})
    expected = 0.25 * own.logits(X[:, :3]) + 0.75 * LOGISTIC.logits(X)
    assert np.abs(run(content, rows)[0] - expected).max() < 1e-4
    said = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    assert json.loads(said["features"]) == list(order)
    assert said["sha256"] == "5a"


def test_the_same_model_gives_the_same_bytes():
    first, second = (to_onnx([(TREES, 1.0)], NAMES, {"a": "b"}) for _ in range(2))
    assert first == second
