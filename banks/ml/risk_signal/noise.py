"""Noise that makes a single payment deniable: discrete Laplace, a share of it from every bank.

A discrete Laplace variable is the difference of two geometric ones, and a geometric variable is a
sum of negative binomial ones: each bank adds its part before the sum, so nobody ever sees a sum
without noise. Shares are those of the smallest cohort: with more banks there is more noise, never
less (Ghosh, Roughgarden and Sundararajan, STOC 2009; Goryczka and Xiong, TDSC 2017).
"""

from __future__ import annotations

import math
import secrets

import numpy as np

from banks.ml.features.events import IntArray


def noise_share(length: int, epsilon: float, sensitivity: int, banks: int) -> IntArray:
    """One bank's part int64[length] of noise with this ε, when ``banks`` add theirs."""
    source = np.random.Generator(np.random.PCG64(secrets.randbits(256)))
    stay = -math.expm1(-epsilon / sensitivity)
    up, down = (source.negative_binomial(1.0 / banks, stay, length) for _ in range(2))
    return np.asarray(up - down, np.int64)
