"""What every training by sums shares: fixed point, and who adds.

A bank alone is the sum over one. The benchmark and a round pass in their own way of adding, through
real packing or encryption; the integers that come out are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from banks.ml.encoding import FloatArray, IntArray
from consortium.protocol.errors import Refused, gettext_noop

SCALE = 1 << 20
LARGEST = float(1 << 55)  # layout k56b64
Adder = Callable[[Sequence[IntArray]], IntArray]


def plain_sum(vectors: Sequence[IntArray]) -> IntArray:
    """Add the banks' vectors in the clear."""
    return np.asarray(np.sum(np.stack(vectors), axis=0, dtype=np.int64))


def to_fixed(values: ArrayLike) -> IntArray:
    """Numbers as integers with SCALE units to one; raises Refused beyond layout k56b64."""
    scaled = np.rint(np.asarray(values, dtype=np.float64) * SCALE)
    if not (np.abs(scaled) < LARGEST).all():
        raise Refused(
            "sum_too_large", gettext_noop("A sum over this bank's rows does not fit its layout.")
        )
    return scaled.astype(np.int64)


def from_fixed(sums: IntArray) -> FloatArray:
    """Inverse of ``to_fixed``."""
    return sums / SCALE
