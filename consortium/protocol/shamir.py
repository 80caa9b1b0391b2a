"""Shamir's secret sharing (CACM 1979), over any modulus for which the caller can answer."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

Below = Callable[[int], int]


def split(
    secret: int,
    threshold: int,
    points: Sequence[int],
    modulus: int,
    rng: Below = secrets.randbelow,
) -> dict[int, int]:
    """Values at ``points`` of a random polynomial f of degree ``threshold - 1``, f(0) = secret."""
    if not 1 <= threshold <= len(set(points)) or 0 in points:
        raise ValueError("as many different non-zero points as the threshold, at least")
    coefficients = [secret % modulus, *(rng(modulus) for _ in range(threshold - 1))]
    return {point: _evaluate(coefficients, point, modulus) for point in points}


def join(shares: Mapping[int, int], modulus: int) -> int:
    """f(0) from ``threshold`` or more values; ``modulus`` is prime."""
    total = 0
    for point, value in shares.items():
        weight = lagrange(point, shares)
        total += value * weight.numerator * pow(weight.denominator, -1, modulus)
    return total % modulus


def lagrange(point: int, points: Collection[int], at: int = 0) -> Fraction:
    """The weight of the value at ``point`` when f(``at``) is interpolated from ``points``."""
    others = [other for other in points if other != point]
    return Fraction(
        math.prod(at - other for other in others), math.prod(point - other for other in others)
    )


def _evaluate(coefficients: Sequence[int], point: int, modulus: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * point + coefficient) % modulus
    return value
