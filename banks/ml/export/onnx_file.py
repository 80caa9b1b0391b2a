"""One file for one model, or for a weighted mean of models with features of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from banks.ml.export.encoders import compressed
from banks.ml.export.families import logits, weighted
from banks.ml.export.graph import Graph
from banks.ml.models import Model


def to_onnx(
    parts: Sequence[tuple[Model, float]], features: Sequence[str], about: dict[str, str]
) -> bytes:
    """Input ``features`` float32 [n, F], NaN where missing; outputs ``logit`` and ``probability``.

    ``parts`` are models and their weights, which sum to 1; ``features`` names the columns.
    """
    graph = Graph()
    names = list(features)
    found = []
    for model, _ in parts:
        places = [names.index(name) for name in model.features]
        found.append(logits(graph, model, compressed(graph, graph.columns("features", places))))
    total = weighted(graph, found, [weight for _, weight in parts])
    logit = graph.add("Squeeze", total, graph.constant([1], dtype="int64"))
    outputs = {"logit": logit, "probability": graph.add("Sigmoid", logit)}
    return graph.model(len(names), outputs, {**about, "features": json.dumps(names)})
