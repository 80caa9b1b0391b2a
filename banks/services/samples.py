"""Two draws that keep the figures honest: alerts served blind, payments from below the threshold.

A draw follows from the transaction's id under a secret of the bank's node (``banks.keys.draws``):
the same transaction is drawn or not whoever scores it and how often, and nobody can tell beforehand
which one it will be.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from banks.models import Transaction


@dataclass(frozen=True)
class Draws:
    """A node's draws; ``key`` is 32 secret bytes."""

    key: bytes

    def fraction(self, purpose: str, transaction: Transaction) -> float:
        """A number in [0, 1) that belongs to this transaction and purpose alone."""
        text = transaction.external_id.encode("utf-8", "surrogatepass")
        digest = blake2b(text, digest_size=8, key=self.key, person=purpose.encode()).digest()
        return int.from_bytes(digest, "big") / 2**64

    def is_blind(self, transaction: Transaction, share: float) -> bool:
        """Whether an alert on it keeps its score back until the decision."""
        return share > 0 and self.fraction("blind", transaction) < share

    def is_sampled(self, transaction: Transaction, share: float) -> bool:
        """Whether it is looked at although it lies below the threshold."""
        return share > 0 and self.fraction("sample", transaction) < share

    def place(self, transaction: Transaction, threshold: float, recoverable: float) -> int:
        """The loss to expect if its score were any above the threshold: a place that tells
        nothing.
        """
        probability = threshold + (1 - threshold) * self.fraction("place", transaction)
        return round(probability * transaction.amount * recoverable)
