"""The agreement about the signal that a model owner hands to the operator."""

from __future__ import annotations

from typing import Any

from banks.ml.risk_signal import Terms
from banks.services.signal.consent import recipe_of
from banks.services.signal.summing import first_step
from consortium.protocol.spec import RISK_SIGNAL

MOST_VALUES = 20_000_000


def signal_task(terms: Terms) -> dict[str, Any]:
    """A task that sums counterparties under these terms, as the JSON that a task is made of."""
    return {
        "purpose": RISK_SIGNAL,
        "protocol": "secagg",
        "first_step": first_step(terms).to_wire(),
        "metric_values": 1,
        "most_rounds": 2,
        "most_values": MOST_VALUES,
        "model": {"family": "risk-signal"},
        "recipe": recipe_of(terms),
    }
