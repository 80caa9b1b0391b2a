"""Models that score with numpy alone; how each is trained is in the packages beside this one."""

from banks.ml.models.base import EncodedModel, Model
from banks.ml.models.blend import Blend
from banks.ml.models.elm import ELM
from banks.ml.models.logistic import Logistic
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
from banks.ml.models.trees import Trees

__all__ = [
    "DEFAULT_HIDDEN",
    "ELM",
    "MLP",
    "Blend",
    "EncodedModel",
    "Logistic",
    "Model",
    "ModelSpec",
    "Trees",
    "apply_update",
    "initial_parameters",
    "mlp_spec",
    "parameter_count",
    "predict_logits",
]
