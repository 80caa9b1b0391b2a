"""From features to scores and alerts, with the version in use; what was scored stays as it was."""

from .alerting import raise_alerts
from .bench import Bench, Judge, Matrix, bench_of
from .single import Conflict, NewTransaction, Scored, score_transactions

__all__ = [
    "Bench",
    "Conflict",
    "Judge",
    "Matrix",
    "NewTransaction",
    "Scored",
    "bench_of",
    "raise_alerts",
    "score_transactions",
]
