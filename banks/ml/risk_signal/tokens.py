"""Counterparties under numbers that only holders of the group's key can work out.

A number (*slot*) is the head of HMAC-SHA256 over the name. Nobody sends a list of names or tokens:
slots are places in a vector that exists only as a sum, so what a bank learns from it is how many
banks deal with a counterparty, never which. Two names may share a slot (one in a hundred where
there are a hundred times as many slots as names); their sums are then read together.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np

from banks.ml.features.events import IntArray


def slots_of(key: bytes, names: Sequence[str], slots: int) -> IntArray:
    """The slot int64[n] of each name; ``slots`` is a power of two."""
    heads = b"".join(hmac.digest(key, name.encode(), hashlib.sha256)[:8] for name in names)
    return (np.frombuffer(heads, ">u8") & np.uint64(slots - 1)).astype(np.int64)
