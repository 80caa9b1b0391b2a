"""Building an ONNX graph node by node; every value has a name, which is what functions pass on."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

OPSET, ML_OPSET = 17, 3
IR_VERSION = 9
ML_DOMAIN = "ai.onnx.ml"
DOUBLE, FLOAT = TensorProto.DOUBLE, TensorProto.FLOAT


class Graph:
    """Nodes and constants in order; names count up, so equal models give equal bytes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: ArrayLike, dtype: Any = np.float64) -> str:
        """A fixed tensor."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """One more node with a single output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [name], domain=domain, **attributes)
        )
        return name

    def cast(self, value: str, to: int) -> str:
        return self.add("Cast", value, to=to)

    def columns(self, value: str, places: ArrayLike) -> str:
        """Some columns of a matrix, in this order."""
        return self.add("Gather", value, self.constant(places, np.int64), axis=1)

    def clipped(self, value: str, low: float, high: float) -> str:
        return self.add("Clip", value, self.constant(low), self.constant(high))

    def affine(self, value: str, weights: ArrayLike, bias: ArrayLike, dtype: Any) -> str:
        """value · weights + bias."""
        product = self.add("MatMul", value, self.constant(weights, dtype))
        return self.add("Add", product, self.constant(bias, dtype))

    def model(self, features: int, outputs: dict[str, str], about: dict[str, str]) -> bytes:
        """The whole file: one input [n, features], the named outputs [n]."""
        named = [self._named(value, name) for name, value in outputs.items()]
        graph = helper.make_graph(
            self.nodes,
            "consortium",
            [helper.make_tensor_value_info("features", FLOAT, ["n", features])],
            named,
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML_DOMAIN, ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="Consortium"
        )
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _named(self, value: str, name: str) -> onnx.ValueInfoProto:
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        return helper.make_tensor_value_info(name, DOUBLE, ["n"])
