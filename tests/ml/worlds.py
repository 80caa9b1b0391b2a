"""A small world with fraud that can be learned: for tests of models, not of any real pattern."""

from __future__ import annotations

import numpy as np


def world(rows: int = 4000, features: int = 6, seed: int = 0, fraud_logit: float = -5.0):
    """Features with missing values and a heavy tail, labels, ids."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, features))
    X[:, 1] = np.exp(2 * X[:, 1])
    logits = fraud_logit + 2 * (X[:, 0] > 1) * 2 + np.log1p(X[:, 1]) - X[:, 2]
    y = (generator.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    X[generator.random(X.shape) < 0.05] = np.nan
    return X, y, np.array([f"t{seed}-{row}" for row in range(rows)])
