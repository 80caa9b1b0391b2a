"""Solving normal equations to the same bytes on every machine.

LAPACK's last digits depend on the processor, and banks must derive equal models. Element-wise
float64 operations are exact IEEE 754 everywhere, so the factorisation here uses nothing else.
"""

from __future__ import annotations

import numpy as np

from banks.ml.encoding import FloatArray, IntArray
from consortium.protocol.errors import Refused, gettext_noop

SAFE_DIGITS = 9  # of a logarithm: its last ones depend on the machine too


def solve(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """x with matrix · x = vector for a symmetric positive definite matrix [D, D], by LDLᵀ.

    Raises Refused when the matrix is not positive definite.
    """
    work = np.array(matrix, dtype=np.float64)
    x = np.array(vector, dtype=np.float64)
    size = len(x)
    for step in range(size):
        pivot = work[step, step]
        if not pivot > 0:
            raise Refused(
                "not_positive_definite",
                gettext_noop(
                    "The summed matrix cannot be one of real data; the round is not used."
                ),
            )
        column = work[step + 1 :, step] / pivot
        work[step + 1 :, step + 1 :] -= column[:, None] * work[step, step + 1 :]
        work[step + 1 :, step] = column
        x[step + 1 :] -= column * x[step]
    x /= np.diagonal(work)
    for step in range(size - 1, 0, -1):
        x[:step] -= work[step, :step] * x[step]
    return x


def triangle_length(size: int) -> int:
    """Values in the upper triangle of a [size, size] matrix."""
    return size * (size + 1) // 2


def upper_triangle(matrix: FloatArray) -> FloatArray:
    """The upper triangle row by row, float64[size · (size + 1) / 2]."""
    return matrix[np.triu_indices(len(matrix))]


def symmetric(triangle: FloatArray | IntArray, size: int) -> FloatArray:
    """The symmetric matrix with this upper triangle, float64[size, size]."""
    full = np.zeros((size, size))
    full[np.triu_indices(size)] = triangle
    return full + np.triu(full, 1).T
