"""The number one person reads to another to compare a bank's keys: digits are alike in all tongues.

Six blocks of five decimal digits over the bank and both of its public keys, as in Signal's safety
numbers (Marlinspike, 2016): about 99 bits, so that nobody finds other keys with the same number.
"""

from __future__ import annotations

import hashlib
import unicodedata

BLOCKS = 6
DIGITS = 5
BYTES = 5
_DOMAIN = b"consortium check number 1"


def check_number(*, bank: str, signing_key: str, sealing_key: str) -> str:
    """Blocks of digits with a space between; ``bank`` is the UUID, keys are hex."""
    said = "\n".join((bank, signing_key, sealing_key)).encode()
    hashed = hashlib.sha512(_DOMAIN + b"\n" + said).digest()
    blocks = (hashed[start : start + BYTES] for start in range(0, BLOCKS * BYTES, BYTES))
    return " ".join(f"{int.from_bytes(b) % 10**DIGITS:0{DIGITS}d}" for b in blocks)


def first_difference(said: str, number: str) -> int | None:
    """The first block, from 1, in which what somebody heard differs; None where all are the same.

    Anything between the digits is left out, full-width digits count as digits. Digits that lack
    or are left over differ in the block where they begin.
    """
    heard = [c for c in unicodedata.normalize("NFKC", said) if c.isdecimal()]
    right = number.replace(" ", "")
    for place in range(max(len(heard), len(right))):
        if heard[place : place + 1] != list(right[place : place + 1]):
            return min(place // DIGITS, BLOCKS - 1) + 1
    return None
