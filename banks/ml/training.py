"""Training a perceptron with PyTorch: alone (Phase 0) and one local step of a round (Phase 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banks.ml.examples import Examples, prepare
from banks.ml.models.mlp import initial_parameters, layer_shapes, layers, predict_logits
from banks.ml.models.spec import ModelSpec
from banks.ml.ranking import log_loss
from consortium.protocol.errors import Refused, gettext_noop

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Examples",
    "FitResult",
    "LocalUpdate",
    "Step",
    "TrainingPlan",
    "fit_local",
    "local_update",
    "prepare",
    "torch_module",
]

PPM = 1_000_000
CELL_COUNTS = tuple(2**power for power in range(1, 12))
FRESH_ENOUGH = 1e-5
Progress = Callable[["Step"], None]


@dataclass(frozen=True)
class TrainingPlan:
    """How to train; part of the manifest, so every number is an integer (ppm = parts per million).

    ``rounds`` are those of a run together; ``patience`` ends a training alone;
    ``cells`` is how finely features are counted before their edges are cut.
    ``proximal_ppm`` is FedProx's μ (Li et al. 2020); 0 is plain FedAvg (McMahan et al. 2017).
    """

    rounds: int = 5
    epochs: int = 3
    batch_size: int = 512
    learning_rate_ppm: int = 2_000
    learning_rate_decay_ppm: int = 900_000
    weight_decay_ppm: int = 100
    proximal_ppm: int = 0
    patience: int = 3
    cells: int = 2048

    def to_json(self) -> dict[str, int]:
        """Canonical, float-free description."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, body: Any) -> TrainingPlan:
        """Strict inverse of ``to_json``; raises Refused."""
        if not isinstance(body, dict) or set(body) != set(cls.__dataclass_fields__):
            raise Refused("training_plan", gettext_noop("The training plan is not complete."))
        if not all(type(value) is int and 0 <= value <= 100 * PPM for value in body.values()):
            raise Refused("training_plan", gettext_noop("The training plan holds a bad number."))
        if not 1 <= body["rounds"] <= 1000 or not 1 <= body["epochs"] <= 1000:
            raise Refused("training_plan", gettext_noop("The training plan holds a bad number."))
        if body["cells"] not in CELL_COUNTS or not 1 <= body["batch_size"] <= 1 << 20:
            raise Refused("training_plan", gettext_noop("The training plan holds a bad number."))
        return cls(**body)

    def learning_rate(self, round_index: int) -> float:
        """AdamW's step size in this round (0 is the first)."""
        decay = self.learning_rate_decay_ppm / PPM
        return self.learning_rate_ppm / PPM * decay**round_index


@dataclass(frozen=True)
class Step:
    """One finished epoch, as progress shows it."""

    epoch: int
    epochs: int
    loss: float
    validation_loss: float | None = None


@dataclass(frozen=True, eq=False)
class LocalUpdate:
    """What one bank learned in a round, before clipping, weighting and encryption."""

    delta: NDArray[np.float64]
    weight: int
    loss: float


@dataclass(frozen=True, eq=False)
class FitResult:
    """A model trained alone."""

    parameters: NDArray[np.float32]
    examples: int
    frauds: int
    best_epoch: int
    history: list[Step] = field(default_factory=list)


def local_update(
    spec: ModelSpec,
    parameters: NDArray[np.float32],
    examples: Examples,
    plan: TrainingPlan,
    *,
    round_index: int,
    seed: int,
    progress: Progress | None = None,
) -> LocalUpdate:
    """One bank's part of a FedAvg or FedProx round: Δθ float64[P] and its weight in examples.

    The same arguments give the same bytes. A bank with a single class may take part; its update
    is what its rows say.
    """
    trainer = _Trainer(spec, parameters, examples, plan, round_index=round_index, seed=seed)
    loss = 0.0
    for epoch in range(plan.epochs):
        loss = trainer.epoch()
        if progress:
            progress(Step(epoch + 1, plan.epochs, loss))
    delta = trainer.parameters().astype(np.float64) - parameters.astype(np.float64)
    return LocalUpdate(delta=delta, weight=len(examples), loss=loss)


def fit_local(
    spec: ModelSpec,
    examples: Examples,
    validation: Examples,
    plan: TrainingPlan,
    *,
    seed: int,
    initial: NDArray[np.float32] | None = None,
    progress: Progress | None = None,
) -> FitResult:
    """Train alone, stop when the validation log-loss has not fallen for ``plan.patience`` epochs.

    Returns the parameters of the best epoch. Raises Refused when there is only one class, or
    nothing to validate on.
    """
    _require_both_classes(examples)
    _require_both_classes(validation)
    start = initial_parameters(spec, seed) if initial is None else initial
    trainer = _Trainer(spec, start, examples, plan, round_index=0, seed=seed)
    best = FitResult(start, len(examples), examples.frauds, best_epoch=0)
    best_loss, history = math.inf, []
    for epoch in range(1, plan.epochs + 1):
        loss = trainer.epoch()
        parameters = trainer.parameters()
        logits = predict_logits(spec, parameters, validation.inputs) + validation.offset
        validation_loss = log_loss(logits, validation.labels)
        history.append(Step(epoch, plan.epochs, loss, validation_loss))
        if progress:
            progress(history[-1])
        if validation_loss < best_loss - FRESH_ENOUGH:
            best_loss = validation_loss
            best = replace(best, parameters=parameters, best_epoch=epoch)
        elif epoch - best.best_epoch >= plan.patience:
            break
    return replace(best, history=history)


def torch_module(spec: ModelSpec, parameters: ArrayLike) -> nn.Sequential:
    """The same perceptron as a PyTorch module (float32), for training and export."""
    import torch
    from torch import nn

    modules: list[nn.Module] = []
    for (outputs, inputs), (weights, bias) in zip(
        layer_shapes(spec), layers(spec, parameters), strict=True
    ):
        linear = nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


class _Trainer:
    """AdamW over shuffled batches; everything random comes from the seed."""

    def __init__(
        self,
        spec: ModelSpec,
        parameters: NDArray[np.float32],
        examples: Examples,
        plan: TrainingPlan,
        *,
        round_index: int,
        seed: int,
    ) -> None:
        import torch

        torch.set_num_threads(1)  # one core a bank, and sums in one order
        self.plan = plan
        self.offset = examples.offset
        self.inputs = torch.from_numpy(np.ascontiguousarray(examples.inputs, dtype=np.float32))
        self.labels = torch.from_numpy(np.ascontiguousarray(examples.labels, dtype=np.float32))
        self.shuffle = np.random.Generator(np.random.PCG64([seed & (2**63 - 1), round_index]))
        self.module = torch_module(spec, parameters)
        self.start = [tensor.detach().clone() for tensor in self.module.parameters()]
        self.optimiser = torch.optim.AdamW(
            self.module.parameters(),
            lr=plan.learning_rate(round_index),
            weight_decay=plan.weight_decay_ppm / PPM,
        )

    def epoch(self) -> float:
        """One pass over the examples; returns the mean loss."""
        import torch

        order = torch.from_numpy(self.shuffle.permutation(len(self.labels)))
        total = 0.0
        for batch in torch.split(order, self.plan.batch_size):
            logits = self.module(self.inputs[batch])[:, 0] + self.offset
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, self.labels[batch])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._pull_to_start()
            self.optimiser.step()
            total += float(loss.detach()) * len(batch)
        return total / len(self.labels)

    def parameters(self) -> NDArray[np.float32]:
        """The present parameters, flat float32[P]."""
        flat = [tensor.detach().numpy().ravel() for tensor in self.module.parameters()]
        return np.concatenate(flat).astype("<f4")

    def _pull_to_start(self) -> None:
        """FedProx's proximal term μ/2·‖θ − θ_round‖², as its gradient."""
        if self.plan.proximal_ppm:
            strength = self.plan.proximal_ppm / PPM
            for tensor, start in zip(self.module.parameters(), self.start, strict=True):
                if tensor.grad is not None:
                    tensor.grad.add_(tensor.detach() - start, alpha=strength)


def _require_both_classes(examples: Examples) -> None:
    if not 0 < examples.frauds < len(examples):
        raise Refused(
            "one_class",
            gettext_noop(
                "Training needs fraudulent and genuine transactions; there are %(frauds)s frauds "
                "among %(rows)s. Label more transactions or choose a longer period."
            ),
            frauds=examples.frauds,
            rows=len(examples),
        )
