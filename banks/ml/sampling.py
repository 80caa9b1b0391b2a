"""Which genuine rows a bank trains on: chosen by a hash of the id, never by row order.

Every partition of the same rows, and the pooled set, therefore trains on the same rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

KEPT_GENUINE_ROWS = 80_000
LEAST_RATE = 0.1
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)


def row_keys(ids: ArrayLike) -> NDArray[np.uint64]:
    """A 64-bit key per id: FNV-1a of its UTF-8 bytes, finished by splitmix64."""
    texts = np.asarray(ids, dtype=np.str_)
    encoded = np.char.encode(texts, "utf-8")
    lengths = np.char.str_len(encoded)
    width = encoded.dtype.itemsize
    raw = np.frombuffer(encoded.tobytes(), dtype=np.uint8).reshape(len(texts), width)
    keys = np.full(len(texts), _FNV_OFFSET, dtype=np.uint64)
    for position in range(width):
        mixed = (keys ^ raw[:, position]) * _FNV_PRIME
        keys = np.where(position < lengths, mixed, keys)
    return _splitmix(keys)


def uniform(keys: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """One number in [0, 1) for each key, independent between seeds."""
    seeded = _splitmix(np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))[0]
    return (_splitmix(keys ^ seeded) >> np.uint64(11)).astype(np.float64) / 2.0**53


def negative_rate(genuine_rows: int) -> float:
    """Share of genuine rows to keep: a tenth, or more where data are few."""
    return min(1.0, max(LEAST_RATE, KEPT_GENUINE_ROWS / max(genuine_rows, 1)))


def sample(
    labels: NDArray[np.integer], keys: NDArray[np.uint64], rate: float, seed: int
) -> NDArray[np.bool_]:
    """Mask of the rows to train on: every fraud, and ``rate`` of the genuine rows."""
    kept: NDArray[np.bool_] = (labels == 1) | ((labels == 0) & (uniform(keys, seed) < rate))
    return kept


def _splitmix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014)."""
    mixed = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
