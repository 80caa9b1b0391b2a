"""Each family of models as ONNX nodes: compressed columns in, one logit a row out."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from banks.ml.export.encoders import Columns, as_stored, cells, encoded
from banks.ml.export.graph import DOUBLE, ML_DOMAIN, Graph
from banks.ml.models import ELM, MLP, Blend, Logistic, Model, Trees
from banks.ml.models.mlp import layers
from banks.ml.models.trees import NOT_SPLIT
from banks.ml.piecewise import CELLS
from consortium.protocol.errors import Refused, gettext_noop

BEYOND = float(4 * CELLS)
"""No cell reaches it; a missing value that goes right is put above it."""


def logits(graph: Graph, model: Model, columns: Columns) -> str:
    """Double [n, 1]."""
    if isinstance(model, Blend):
        parts = [logits(graph, part, columns) for part in model.parts]
        return weighted(graph, parts, [float(weight) for weight in model.weights])
    for family, build in (
        (Logistic, _logistic),
        (MLP, _perceptron),
        (ELM, _extreme),
        (Trees, _trees),
    ):
        if isinstance(model, family):
            return build(graph, model, columns)  # type: ignore[arg-type]
    raise Refused("family", gettext_noop("The model's family is unknown."))


def weighted(graph: Graph, parts: list[str], weights: list[float]) -> str:
    """Σ weight · logit."""
    terms = [
        graph.add("Mul", part, graph.constant(weight))
        for part, weight in zip(parts, weights, strict=True)
    ]
    return graph.add("Sum", *terms) if len(terms) > 1 else terms[0]


def _logistic(graph: Graph, model: Logistic, columns: Columns) -> str:
    inputs = encoded(graph, model.encoder, columns)
    return graph.affine(inputs, model.weights[:-1, None], model.weights[-1:], np.float64)


def _perceptron(graph: Graph, model: MLP, columns: Columns) -> str:
    inputs = as_stored(graph, encoded(graph, model.encoder, columns))
    value = graph.cast(inputs, DOUBLE)
    stack = layers(model.spec, model.parameters)
    for place, (weights, bias) in enumerate(stack):
        value = graph.affine(value, weights.T, bias, np.float64)
        if place < len(stack) - 1:
            value = graph.add("Relu", value)
    return value


def _extreme(graph: Graph, model: ELM, columns: Columns) -> str:
    inputs = as_stored(graph, encoded(graph, model.encoder, columns))
    hidden = graph.affine(inputs, model.hidden.weights.T, model.hidden.bias, np.float32)
    both = graph.add("Concat", graph.add("Relu", hidden), inputs, axis=1)
    return graph.affine(
        graph.cast(both, DOUBLE), model.weights[:-1, None], model.weights[-1:], np.float64
    )


def _trees(graph: Graph, model: Trees, columns: Columns) -> str:
    """Cells once with missing values lowest and once with them highest, as the forest keeps them.

    The standard's tree operator answers in float32: logits differ by about 1e-6.
    """
    found = cells(graph, columns)
    is_missing = graph.cast(columns.missing, 9)  # TensorProto.BOOL
    low = graph.add("Where", is_missing, graph.constant(-1.0), found)
    high = graph.add("Where", is_missing, graph.constant(2 * BEYOND), found)
    both = graph.add("Concat", low, high, axis=1)
    value = graph.add(
        "TreeEnsembleRegressor", both, domain=ML_DOMAIN, n_targets=1, **_attributes(model)
    )
    return graph.add("Add", graph.cast(value, DOUBLE), graph.constant(model.forest.base))


def _attributes(model: Trees) -> dict[str, object]:
    """The heaps as the operator lists them: x ≤ value goes left."""
    forest = model.forest
    trees, inner = forest.feature.shape
    nodes = 2 * inner + 1
    split = forest.feature != NOT_SPLIT
    column = np.where(
        split, forest.feature + len(model.features) * forest.missing_right.astype(np.intp), 0
    )
    leaves = np.zeros((trees, inner + 1))
    values = np.hstack([_thresholds(model), leaves])
    ids = np.tile(np.arange(nodes), (trees, 1))
    children = np.where(ids < inner, 2 * ids + 1, 0)
    modes = ["BRANCH_LEQ"] * inner + ["LEAF"] * (inner + 1)
    owner = np.repeat(np.arange(trees), nodes)
    return {
        "nodes_treeids": owner.tolist(),
        "nodes_nodeids": ids.ravel().tolist(),
        "nodes_featureids": np.hstack([column, leaves]).astype(int).ravel().tolist(),
        "nodes_values_as_tensor": numpy_helper.from_array(values.ravel(), "values"),
        "nodes_modes": modes * trees,
        "nodes_truenodeids": children.ravel().tolist(),
        "nodes_falsenodeids": np.where(ids < inner, children + 1, 0).ravel().tolist(),
        "nodes_missing_value_tracks_true": [0] * (trees * nodes),
        "target_treeids": np.repeat(np.arange(trees), inner + 1).tolist(),
        "target_nodeids": np.tile(np.arange(inner, nodes), trees).tolist(),
        "target_ids": [0] * (trees * (inner + 1)),
        "target_weights_as_tensor": numpy_helper.from_array(forest.value.ravel(), "weights"),
    }


def _thresholds(model: Trees) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Where each inner node parts the cells: bin > cut is cell ≥ the cut-th inner edge."""
    forest = model.forest
    found = np.full(forest.feature.shape, 4 * BEYOND)  # not split: everything goes left
    for tree, node in zip(*np.nonzero(forest.feature != NOT_SPLIT), strict=True):
        inner = model.encoder.edges[forest.feature[tree, node]][1:-1]
        cut = int(forest.cut[tree, node])
        if cut < 1:
            found[tree, node] = -0.5
        else:
            found[tree, node] = float(inner[cut - 1]) - 0.5 if cut <= len(inner) else BEYOND
    return found
