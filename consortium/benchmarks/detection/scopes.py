"""The four scopes of the comparison, each returning its scored contenders."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from banks.ml.ensemble import choose_own_weight, combine
from banks.ml.models import EncodedModel
from banks.ml.piecewise import PiecewiseLinear
from banks.ml.ranking import sigmoid
from consortium.benchmarks.detection import ceiling
from consortium.benchmarks.detection.contenders import Parties, Trained, train_all
from consortium.benchmarks.detection.data import BankWindows, View, Window
from consortium.benchmarks.detection.judging import Scored

FEDERATED = ("logistic", "trees", "blend", "elm", "mlp")
ALONE = ("logistic", "trees", "blend")
ENSEMBLE = "blend"


def alone(view: View, *, signal: bool, seed: int) -> tuple[list[Trained], list[Scored]]:
    """Each bank its own models on its own rows: the same rows as it brings to the others."""
    trained = [_train_alone(view, bank, seed) for bank in view.banks]
    scored = [
        Scored.by(
            "alone",
            family,
            view.banks,
            [own.models[family].logits for own in trained],
            signal=signal,
            seconds=sum(own.seconds[family] for own in trained),
        )
        for family in ALONE
    ]
    if ceiling.available():
        started = time.perf_counter()
        boosted = [_boosted_alone(view, bank, seed) for bank in view.banks]
        seconds = time.perf_counter() - started
        scorers = [model.logits for model in boosted]
        scored.append(
            Scored.by("alone", "xgboost", view.banks, scorers, signal=signal, seconds=seconds)
        )
    return trained, scored


def federated(
    view: View, *, signal: bool, seed: int, encrypt: bool
) -> tuple[Trained, dict[str, Any], list[Scored]]:
    """All banks together, by sums as a round makes them; and how much crossed the wire."""
    parties = Parties.of(
        [bank.train for bank in view.banks],
        [bank.validation for bank in view.banks],
        view.rate,
        seed,
        encrypt=encrypt,
    )
    trained = train_all(view.features, parties, FEDERATED, seed)
    adders = {"counts": parties.counts, "sums": parties.sums, "updates": parties.updates}
    wire: dict[str, Any] = {
        name: {"values": adder.values, "openings": adder.openings} for name, adder in adders.items()
    }
    wire["inputs"] = {"features": len(_used(trained)), "width": _encoder(trained).width}
    return trained, wire, _shared("federated", view, trained, signal=signal)


def pooled(view: View, shared: Trained, *, signal: bool, seed: int) -> tuple[Trained, list[Scored]]:
    """All rows in one place: the same families, and XGBoost on all and on the selected features."""
    everything = Window.joined([bank.train for bank in view.banks])
    validation = Window.joined([bank.validation for bank in view.banks])
    parties = Parties.of([everything], [validation], view.rate, seed)
    trained = train_all(view.features, parties, FEDERATED, seed)
    scored = _shared("pooled", view, trained, signal=signal)
    if ceiling.available():
        for name, columns in (("xgboost", None), ("xgboost_selected", _used(shared))):
            started = time.perf_counter()
            model = ceiling.Boosted(parties.train[0], view.rate, seed, columns)
            model.fit_until(validation)
            seconds = time.perf_counter() - started
            scorers = [model.logits] * len(view.banks)
            scored.append(
                Scored.by("pooled", name, view.banks, scorers, signal=signal, seconds=seconds)
            )
    return trained, scored


def ensemble(
    own_view: View, shared_view: View, own: Sequence[Trained], shared: Trained, *, signal: bool
) -> Scored:
    """Each bank its own model beside the consortium's, weighted on its validation window."""
    started = time.perf_counter()
    validation, test = [], []
    for mine, ours, models in zip(own_view.banks, shared_view.banks, own, strict=True):
        own_model, consortium = models.models[ENSEMBLE], shared.models[ENSEMBLE]
        first, second = own_model.logits(mine.validation.X), consortium.logits(ours.validation.X)
        weight = choose_own_weight(first, second, ours.validation.y).weight
        validation.append(combine(first, second, weight))
        test.append(combine(own_model.logits(mine.test.X), consortium.logits(ours.test.X), weight))
    seconds = time.perf_counter() - started
    return Scored("ensemble", ENSEMBLE, signal, seconds, validation, test)


def largest_difference(view: View, first: Trained, second: Trained, family: str) -> float:
    """The largest difference of p between two models over all test rows."""
    one, two = first.models[family], second.models[family]
    return max(
        float(np.abs(sigmoid(one.logits(bank.test.X)) - sigmoid(two.logits(bank.test.X))).max())
        for bank in view.banks
    )


def _train_alone(view: View, bank: BankWindows, seed: int) -> Trained:
    parties = Parties.of([bank.train], [bank.validation], view.rate, seed)
    return train_all(view.features, parties, ALONE, seed)


def _boosted_alone(view: View, bank: BankWindows, seed: int) -> ceiling.Boosted:
    train = bank.train.sampled(view.rate, seed)
    return ceiling.Boosted(train, view.rate, seed, None).fit_fixed()


def _shared(scope: str, view: View, trained: Trained, *, signal: bool) -> list[Scored]:
    return [
        Scored.by(
            scope,
            family,
            view.banks,
            [model.logits] * len(view.banks),
            signal=signal,
            seconds=trained.seconds[family],
        )
        for family, model in trained.models.items()
    ]


def _encoder(trained: Trained) -> PiecewiseLinear:
    return cast(PiecewiseLinear, cast(EncodedModel, trained.models["logistic"]).encoder)


def _used(trained: Trained) -> np.ndarray:
    return _encoder(trained).used
