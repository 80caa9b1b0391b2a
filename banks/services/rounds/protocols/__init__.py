"""How a sum stays closed until a quorum of banks opens it: one module a protocol, one interface.

``interface`` says what a protocol must do; ``threshold`` is the default, ``masked`` for long
vectors, ``shared`` for the laboratory. The centre's halves are in
``aggregation.services.protocols``.
"""

from __future__ import annotations

from banks.services.rounds.protocols import masked, shared, threshold
from banks.services.rounds.protocols.interface import BankProtocol, Dealt, Terms
from consortium.protocol.errors import ProtocolRefused, gettext_noop

PROTOCOLS: dict[str, BankProtocol] = {
    "paillier-threshold": threshold,
    "secagg": masked,
    "paillier-phe": shared,
}


def protocol_named(name: str) -> BankProtocol:
    """The protocol of that name; Refused where this node does not take part in such."""
    if name not in PROTOCOLS:
        raise ProtocolRefused(
            "unknown_protocol",
            gettext_noop("This node does not take part in the protocol %(name)s."),
            name=name,
        )
    return PROTOCOLS[name]


__all__ = ["BankProtocol", "Dealt", "Terms", "protocol_named"]
