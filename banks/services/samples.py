"""Two draws that keep the figures honest: alerts served blind, payments from below the threshold.

A draw follows from the transaction's id, so the same transaction is drawn or not whoever scores
it and how often.
"""

from __future__ import annotations

from hashlib import blake2b

from banks.models import Transaction


def fraction(purpose: str, transaction: Transaction) -> float:
    """A number in [0, 1) that belongs to this transaction and purpose alone."""
    text = transaction.external_id.encode("utf-8", "surrogatepass")
    digest = blake2b(text, digest_size=8, person=purpose.encode()).digest()
    return int.from_bytes(digest, "big") / 2**64


def is_blind(transaction: Transaction, share: float) -> bool:
    """Whether an alert on it keeps its score back until the decision."""
    return share > 0 and fraction("blind", transaction) < share


def is_sampled(transaction: Transaction, share: float) -> bool:
    """Whether it is looked at although it lies below the threshold."""
    return share > 0 and fraction("sample", transaction) < share


def drawn_loss(transaction: Transaction, threshold: float, recoverable: float) -> int:
    """The loss to expect if its score were any above the threshold: a place that tells nothing."""
    probability = threshold + (1 - threshold) * fraction("place", transaction)
    return round(probability * transaction.amount * recoverable)
