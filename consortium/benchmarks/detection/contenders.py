"""Training every family of models over any parties: five banks, one bank, or all rows pooled.

The same code trains all three; only the parties and the way of adding differ.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from banks.ml.blending import blend_losses, blend_weight
from banks.ml.boosting import TreePlan, fit_trees
from banks.ml.encoding import IntArray
from banks.ml.examples import Examples
from banks.ml.federation import UpdateForm, mean_update, update_vector
from banks.ml.models import (
    MLP,
    Blend,
    Model,
    ModelSpec,
    Trees,
    apply_update,
    initial_parameters,
    parameter_count,
    predict_logits,
)
from banks.ml.newton import fit_logistic
from banks.ml.oneshot import fit_elm
from banks.ml.piecewise import PiecewiseLinear, class_histograms
from banks.ml.ranking import log_losses
from banks.ml.summing import to_fixed
from banks.ml.training import TrainingPlan, local_update
from consortium.benchmarks.detection.adding import Counted, adder
from consortium.benchmarks.detection.data import Window
from consortium.protocol.packing import layout_named

TREES = TreePlan()
MLP_ROUNDS = 8
MLP_HIDDEN = (32, 16)
MLP_PLAN = TrainingPlan(epochs=3, learning_rate_ppm=1_000, learning_rate_decay_ppm=900_000)
UPDATE_LAYOUT = "k16b24"
UPDATE_CLIP = 0.5
NEURONS = 256


@dataclass(frozen=True, eq=False)
class Parties:
    """Who trains: sampled training rows and validation rows of each, and how their vectors add."""

    train: list[Window]
    validation: list[Window]
    rate: float
    counts: Counted
    sums: Counted
    updates: Counted

    @classmethod
    def of(
        cls,
        train: list[Window],
        validation: list[Window],
        rate: float,
        seed: int,
        *,
        encrypt: bool = False,
    ) -> Parties:
        """Parties whose vectors go through the packing of a real round, or its encryption."""
        return cls(
            train=[window.sampled(rate, seed) for window in train],
            validation=validation,
            rate=rate,
            counts=adder("k32b40", encrypt=encrypt),
            sums=adder("k56b64", encrypt=encrypt),
            updates=adder(UPDATE_LAYOUT, encrypt=encrypt, masked=False),
        )


@dataclass(eq=False)
class Trained:
    """The families trained over the same parties on the same encoding, with seconds for each."""

    models: dict[str, Model] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def train_all(
    features: tuple[str, ...], parties: Parties, families: Sequence[str], seed: int
) -> Trained:
    """Train the families asked for; ``blend`` brings ``logistic`` and ``trees`` with it."""
    started = time.perf_counter()
    encoder = _encoder(features, parties)
    encoding = time.perf_counter() - started
    trained = Trained()

    def add(family: str, model: Model, since: float) -> None:
        trained.models[family] = model
        trained.seconds[family] = time.perf_counter() - since + encoding

    encoded = _encoded(encoder, parties.train, parties.rate)
    if {"logistic", "blend"} & set(families):
        since = time.perf_counter()
        add("logistic", fit_logistic(features, encoder, encoded, add=parties.sums), since)
    if {"trees", "blend"} & set(families):
        since = time.perf_counter()
        add("trees", _trees(features, encoder, parties, seed), since)
    if "blend" in families:
        since = time.perf_counter()
        blend = _blend(trained.models["logistic"], trained.models["trees"], parties)
        add("blend", blend, since)
        trained.seconds["blend"] += trained.seconds["logistic"] + trained.seconds["trees"]
    if "elm" in families:
        since = time.perf_counter()
        elm = fit_elm(features, encoder, encoded, seed=seed, neurons=NEURONS, add=parties.sums)
        add("elm", elm, since)
    if "mlp" in families:
        since = time.perf_counter()
        add("mlp", _averaged(features, encoder, encoded, parties, seed), since)
    return trained


def _encoder(features: tuple[str, ...], parties: Parties) -> PiecewiseLinear:
    hist = parties.counts([class_histograms(w.X, w.y).ravel() for w in parties.train])
    return PiecewiseLinear.from_histograms(hist.reshape(len(features), 2, -1))


def _encoded(encoder: PiecewiseLinear, windows: list[Window], rate: float) -> list[Examples]:
    return [Examples(encoder.encode(w.X), w.y.astype(np.float32), rate) for w in windows]


def _binned(encoder: PiecewiseLinear, windows: list[Window], rate: float) -> list[Examples]:
    return [Examples(encoder.bins(w.X), w.y.astype(np.float32), rate) for w in windows]


def _trees(
    features: tuple[str, ...], encoder: PiecewiseLinear, parties: Parties, seed: int
) -> Trees:
    return fit_trees(
        features,
        encoder,
        _binned(encoder, parties.train, parties.rate),
        _binned(encoder, parties.validation, 1.0),
        replace(TREES, seed=seed),
        add=parties.sums,
    )


def _blend(logistic: Model, trees: Model, parties: Parties) -> Blend:
    losses = [
        blend_losses(logistic.logits(w.X), trees.logits(w.X), w.y) for w in parties.validation
    ]
    weight = blend_weight(parties.sums(losses))
    return Blend((logistic, trees), np.array([weight, 1.0 - weight]))


def _averaged(
    features: tuple[str, ...],
    encoder: PiecewiseLinear,
    examples: list[Examples],
    parties: Parties,
    seed: int,
) -> MLP:
    """Federated averaging; the round with the lowest summed validation loss is kept."""
    spec = ModelSpec("mlp", features, inputs=encoder.width, hidden=MLP_HIDDEN)
    parameters = initial_parameters(spec, seed)
    form = UpdateForm(
        parameters=parameter_count(spec),
        members=len(examples),
        clip=UPDATE_CLIP,
        cap=float(max(len(rows) for rows in examples)),
        layout=layout_named(UPDATE_LAYOUT),
    )
    validation = _encoded(encoder, parties.validation, 1.0)
    everyone = frozenset(range(len(examples)))
    best, best_loss = parameters, np.inf
    for number in range(MLP_ROUNDS):
        vectors = [
            update_vector(
                local_update(
                    spec, parameters, rows, MLP_PLAN, round_index=number, seed=seed + position
                ),
                form,
                position=position,
            )
            for position, rows in enumerate(examples)
        ]
        mean = mean_update(parties.updates(vectors), form, contributors=everyone)
        parameters = apply_update(parameters, mean)
        loss = float(parties.sums([_loss(spec, parameters, rows) for rows in validation])[0])
        if loss < best_loss:
            best, best_loss = parameters, loss
    return MLP(spec, encoder, best)


def _loss(spec: ModelSpec, parameters: NDArray[np.float32], rows: Examples) -> IntArray:
    logits = predict_logits(spec, parameters, rows.inputs)
    return to_fixed([log_losses(logits, rows.labels).sum()])
