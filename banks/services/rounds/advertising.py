"""Before a masked sum: publish fresh mask keys, and seal shares of them to every member."""

from __future__ import annotations

from banks.models import RoundPart
from banks.services.rounds import agreement, contribution
from banks.services.rounds.node import Node, manifest_of
from banks.services.rounds.protocols import masked


def advertise(node: Node, round_id: str) -> None:
    """Publish this bank's mask keys; sending again sends the same bytes."""
    part = contribution.join(node, round_id, stage=RoundPart.Stage.ADVERTISED)
    if not part.upload:
        node.update(part, upload=masked.advertise(agreement.terms(node, manifest_of(part))))
    body = bytes(part.upload)
    node.centre.post_bytes(f"rounds/{round_id}/advertisement", body, purpose="mask keys")
