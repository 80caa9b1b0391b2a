"""Models that score with numpy alone. Training lives in ``banks.ml.training``."""

from banks.ml.models.base import Model
from banks.ml.models.mlp import (
    DEFAULT_HIDDEN,
    MLP,
    apply_update,
    initial_parameters,
    mlp_spec,
    parameter_count,
    predict_logits,
)
from banks.ml.models.spec import ModelSpec

__all__ = [
    "DEFAULT_HIDDEN",
    "MLP",
    "Model",
    "ModelSpec",
    "apply_update",
    "initial_parameters",
    "mlp_spec",
    "parameter_count",
    "predict_logits",
]
