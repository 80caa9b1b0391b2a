"""The encoders as ONNX nodes. Missing values are set aside first: no runtime need agree on NaN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from banks.ml.encoding import COMPRESSED_LIMIT, INPUT_LIMIT, Encoder, Standardiser
from banks.ml.export.graph import DOUBLE, FLOAT, Graph
from banks.ml.piecewise import CELL_WIDTH, CELLS, GRID_LIMIT, PiecewiseLinear
from consortium.protocol.errors import Refused, gettext_noop


@dataclass(frozen=True)
class Columns:
    """Compressed features, 0 where missing, and which are missing (as 0 and 1); both double."""

    values: str
    missing: str


def compressed(graph: Graph, features: str) -> Columns:
    """sign(x) · log(1 + |x|), clipped."""
    is_missing = graph.add("IsNaN", features)
    x = graph.cast(
        graph.add("Where", is_missing, graph.constant(0.0, np.float32), features), DOUBLE
    )
    grown = graph.add("Log", graph.add("Add", graph.add("Abs", x), graph.constant(1.0)))
    signed = graph.add("Mul", graph.add("Sign", x), grown)
    values = graph.clipped(signed, -COMPRESSED_LIMIT, COMPRESSED_LIMIT)
    return Columns(values, graph.cast(is_missing, DOUBLE))


def encoded(graph: Graph, encoder: Encoder, columns: Columns) -> str:
    """The model's inputs as the encoder gives them, double [n, width]."""
    if isinstance(encoder, Standardiser):
        return _standardised(graph, encoder, columns)
    if isinstance(encoder, PiecewiseLinear):
        return _ramps(graph, encoder, columns)
    raise Refused("encoder", gettext_noop("The model's encoding is unknown."))


def as_stored(graph: Graph, inputs: str) -> str:
    """Rounded to float32, as encoders hand their inputs to a network."""
    return graph.cast(inputs, FLOAT)


def cells(graph: Graph, columns: Columns) -> str:
    """The public grid's cell of each value, double; of a missing one whatever 0 has."""
    moved = graph.add("Add", columns.values, graph.constant(GRID_LIMIT))
    position = graph.add("Floor", graph.add("Div", moved, graph.constant(CELL_WIDTH)))
    return graph.clipped(position, 0, CELLS - 1)


def _standardised(graph: Graph, encoder: Standardiser, columns: Columns) -> str:
    centred = graph.add("Sub", columns.values, graph.constant(encoder.mean))
    z = graph.clipped(
        graph.add("Div", centred, graph.constant(encoder.scale)), -INPUT_LIMIT, INPUT_LIMIT
    )
    return graph.add("Concat", _where_present(graph, z, columns.missing), columns.missing, axis=1)


def _ramps(graph: Graph, encoder: PiecewiseLinear, columns: Columns) -> str:
    low, width, is_indicator = encoder.ramps
    missing = graph.columns(columns.missing, encoder.sources)
    climbed = graph.add("Sub", graph.columns(columns.values, encoder.sources), graph.constant(low))
    ramps = graph.clipped(graph.add("Div", climbed, graph.constant(width)), 0.0, 1.0)
    return graph.add(
        "Where",
        graph.constant(is_indicator, np.bool_),
        missing,
        _where_present(graph, ramps, missing),
    )


def _where_present(graph: Graph, values: str, missing: str) -> str:
    return graph.add("Mul", values, graph.add("Sub", graph.constant(1.0), missing))
