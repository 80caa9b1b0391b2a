"""Modular powers in bulk: public exponents fast, secret exponents in constant time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import gmpy2
from gmpy2 import mpz

_WORTH_A_THREAD = 8
"""Bases per thread below which starting one costs more than it saves."""


def secret_powers(bases: Sequence[int], exponent: int, modulus: int) -> list[int]:
    """``base**exponent mod modulus`` for a secret exponent.

    GMP's side-channel silent exponentiation: time and memory accesses do not depend on the bits
    of the exponent, only on its length. ``modulus`` must be odd, ``exponent`` positive.
    """
    power, secret, mod = gmpy2.powmod_sec, mpz(exponent), mpz(modulus)
    return [int(power(mpz(base), secret, mod)) for base in bases]


def powers(
    bases: Sequence[int], exponent: int, modulus: int, *, threads: int | None = None
) -> list[int]:
    """``base**exponent mod modulus`` for a public exponent, which may be negative.

    Long lists are shared among threads: the list form of the power leaves the interpreter's lock.
    """
    wanted = threads or min(os.cpu_count() or 1, len(bases) // _WORTH_A_THREAD) or 1
    size = -(-len(bases) // wanted) or 1
    parts = [list(bases[at : at + size]) for at in range(0, len(bases), size)]
    if len(parts) < 2:
        return [int(value) for part in parts for value in _powers(part, exponent, modulus)]
    with ThreadPoolExecutor(len(parts)) as pool:
        done = pool.map(lambda part: _powers(part, exponent, modulus), parts)
        return [int(value) for part in done for value in part]


def _powers(bases: list[int], exponent: int, modulus: int) -> list[mpz]:
    raised: list[mpz] = gmpy2.powmod_base_list(bases, exponent, modulus)
    return raised


def product_of_powers(bases: Sequence[int], exponents: Sequence[int], modulus: int) -> int:
    """The product of ``base**exponent`` over two lists of equal length, exponents public and >= 0.

    Pippenger's bucket method: one pass over the bases per window of bits instead of one full
    exponentiation per base.
    """
    if len(bases) != len(exponents):
        raise ValueError("as many exponents as bases, please")
    mod, numbers = mpz(modulus), [mpz(base) for base in bases]
    bits = max((exponent.bit_length() for exponent in exponents), default=0)
    window = max(1, min(8, len(bases).bit_length() - 3))
    mask, total = (1 << window) - 1, mpz(1)
    for shift in range((bits - 1) // window * window if bits else 0, -1, -window):
        total = gmpy2.powmod(total, 1 << window, mod)
        buckets: list[mpz | None] = [None] * (mask + 1)
        for base, exponent in zip(numbers, exponents, strict=True):
            digit = (exponent >> shift) & mask
            if digit:
                held = buckets[digit]
                buckets[digit] = base if held is None else held * base % mod
        total = total * _weighted(buckets, mod) % mod
    return int(total % mod)


def _weighted(buckets: list[mpz | None], modulus: mpz) -> mpz:
    """The product of ``bucket[d]**d`` by running products from the top."""
    running, total = mpz(1), mpz(1)
    for bucket in reversed(buckets[1:]):
        if bucket is not None:
            running = running * bucket % modulus
        total = total * running % modulus
    return total


class FixedBase:
    """Powers of one base by a table of its windows: one multiplication per six exponent bits.

    Table look-ups depend on the exponent. Use it where each exponent is drawn fresh, used once
    and never shared; a long-lived secret goes through ``secret_powers``.
    """

    WINDOW = 6

    def __init__(self, base: int, modulus: int, exponent_bits: int) -> None:
        self._modulus = mpz(modulus)
        self.exponent_bits = exponent_bits
        self._rows: list[list[mpz]] = []
        step = mpz(base) % self._modulus
        for _ in range(-(-exponent_bits // self.WINDOW)):
            row = [mpz(1)]
            for _ in range((1 << self.WINDOW) - 1):
                row.append(row[-1] * step % self._modulus)
            self._rows.append(row)
            step = row[-1] * step % self._modulus

    def power(self, exponent: int) -> int:
        """``base**exponent`` for ``0 <= exponent < 2**exponent_bits``."""
        if exponent < 0 or exponent.bit_length() > self.exponent_bits:
            raise ValueError("exponent outside the table")
        mask, result = (1 << self.WINDOW) - 1, mpz(1)
        for row in self._rows:
            if not exponent:
                break
            digit = exponent & mask
            if digit:
                result = result * row[digit] % self._modulus
            exponent >>= self.WINDOW
        return int(result)
