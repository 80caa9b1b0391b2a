"""Watching for drift: count each day once, and ask a person when the model should learn anew."""

from banks.services.monitor.following import due, follow
from banks.services.monitor.proposals import approve, decline

__all__ = ["approve", "decline", "due", "follow"]
