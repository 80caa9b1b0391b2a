"""From canonical transactions to model features, without ever looking ahead.

``plan`` says what is computed; ``history`` answers for any rows from exact integer sums; ``batch``
asks it for a whole table, ``banks.ml.online`` for a further day or a single transaction. Only
functions that take a table import a table library.
"""

from banks.ml.features.batch import build_features, fraud_rate
from banks.ml.features.plan import FeaturePlan, feature_names
from banks.ml.features.signal import Signal

__all__ = ["FeaturePlan", "Signal", "build_features", "feature_names", "fraud_rate"]
