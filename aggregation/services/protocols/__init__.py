"""The centre's half of each protocol: what it can check, add and pass on without reading it.

``interface`` says what a protocol must do. The banks' halves are in
``banks.services.rounds.protocols``.
"""

from __future__ import annotations

from aggregation.models import Round
from aggregation.services.protocols import masked, shared, threshold
from aggregation.services.protocols.interface import CentreProtocol

PROTOCOLS: dict[str, CentreProtocol] = {
    "paillier-threshold": threshold,
    "secagg": masked,
    "paillier-phe": shared,
}


def protocol_named(name: str) -> CentreProtocol:
    return PROTOCOLS[name]


def protocol_of(round_: Round) -> CentreProtocol:
    """The protocol that the task of a round was agreed with."""
    return PROTOCOLS[round_.run.task.protocol]


__all__ = ["CentreProtocol", "protocol_named", "protocol_of"]
