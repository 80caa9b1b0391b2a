"""An extreme learning machine: edges, then one exact sum of HᵀH and Hᵀy (NICT's PP-ELM)."""

from __future__ import annotations

from dataclasses import dataclass

from banks.ml.courses import edges
from banks.ml.courses.base import Opened, Own, State
from banks.ml.courses.edges import Edges
from banks.ml.courses.plans import PPM, OneshotPlan
from banks.ml.encoding import IntArray
from banks.ml.models.base import Model
from banks.ml.models.elm import ELM, HiddenLayer, elm_spec
from banks.ml.oneshot import gram_length, gram_sums, output_weights
from consortium.protocol.spec import Step

NAME = "gram"
BITS = 56


@dataclass(frozen=True)
class OneshotCourse:
    features: tuple[str, ...]
    neurons: int
    plan: OneshotPlan

    def begin(self, seed: int) -> State:
        return State(edges.step(len(self.features), self.plan.cells, remaining=1))

    def vector(self, state: State, own: Own) -> IntArray:
        if state.step.name == edges.NAME:
            return edges.vector(own, self.plan.cells)
        cut = Edges.of(state)
        return gram_sums(self._layer(cut), cut.examples(own.train, own.seed))

    def advance(self, state: State, opened: Opened) -> State | Model:
        if state.step.name == edges.NAME:
            cut = Edges.cut(opened.values, len(self.features))
            length = gram_length(self.neurons, cut.encoder.width)
            return edges.with_edges(Step(NAME, BITS, length, 0), cut, {}, {})
        cut = Edges.of(state)
        size = self.neurons + cut.encoder.width + 1
        weights = output_weights(opened.values, size, ridge=self.plan.ridge_ppm / PPM)
        spec = elm_spec(self.features, cut.encoder, self.neurons)
        return ELM(spec, cut.encoder, self._layer(cut), weights)

    def _layer(self, cut: Edges) -> HiddenLayer:
        return HiddenLayer.from_seed(self.neurons, cut.encoder.width, self.plan.seed)
