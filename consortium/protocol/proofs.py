"""Chaum–Pedersen proof of equal exponents for many bases at once, in the squares modulo n.

Shown: ``image_j = base_j^x`` for all j with the same secret x as ``key = generator^x``
(Chaum and Pedersen, CRYPTO 1992; in a group of hidden order as Shoup, EUROCRYPT 2000). The pairs
are joined by random 128-bit weights first. All elements are squared before they are compared,
so elements of order two, the only small order when n is a product of safe primes, play no part.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import gmpy2

from consortium.protocol.exponentiation import product_of_powers
from consortium.protocol.transcript import CHALLENGE_BITS, HIDING_BITS, Transcript

_CHALLENGE_BYTES = CHALLENGE_BITS // 8


@dataclass(frozen=True)
class EqualExponents:
    """The statement: ``key = generator^x`` and ``images_j = bases_j^x``, up to sign-like factors.

    ``exponent_bits`` bounds x; ``context`` says for what the proof is made.
    """

    modulus: int
    generator: int
    key: int
    bases: Sequence[int]
    images: Sequence[int]
    exponent_bits: int
    context: bytes

    @property
    def _response_bits(self) -> int:
        return self.exponent_bits + CHALLENGE_BITS + HIDING_BITS + 1

    @property
    def proof_bytes(self) -> int:
        """Length of a proof: challenge and response."""
        return _CHALLENGE_BYTES + (self._response_bits + 7) // 8

    def prove(self, exponent: int) -> bytes:
        """Prove the statement, whose x is ``exponent``."""
        transcript, base, _ = self._join()
        mask = secrets.randbits(self._response_bits - 1) + 1
        power = gmpy2.powmod_sec
        commitments = [int(power(of, mask, self.modulus)) for of in (self._generator, base)]
        challenge = self._challenge(transcript, commitments)
        response = mask + challenge * exponent
        return challenge.to_bytes(_CHALLENGE_BYTES, "big") + response.to_bytes(
            self.proof_bytes - _CHALLENGE_BYTES, "big"
        )

    def holds(self, proof: bytes) -> bool:
        """Whether ``proof`` shows the statement."""
        if len(proof) != self.proof_bytes or len(self.bases) != len(self.images):
            return False
        challenge = int.from_bytes(proof[:_CHALLENGE_BYTES], "big")
        response = int.from_bytes(proof[_CHALLENGE_BYTES:], "big")
        if response.bit_length() > self._response_bits:
            return False
        transcript, base, image = self._join()
        key = self.key * self.key % self.modulus
        power = gmpy2.powmod
        commitments = [
            int(power(of, response, self.modulus) * power(at, -challenge, self.modulus))
            % self.modulus
            for of, at in ((self._generator, key), (base, image))
        ]
        return self._challenge(transcript, commitments) == challenge

    @property
    def _generator(self) -> int:
        return self.generator * self.generator % self.modulus

    def _join(self) -> tuple[Transcript, int, int]:
        """The transcript of the statement, and all pairs as one squared pair."""
        transcript = Transcript("consortium/equal-exponents/1")
        transcript.absorb(self.context, self.exponent_bits.to_bytes(8, "big"))
        self._absorb(transcript, [self.modulus, self.generator, self.key])
        self._absorb(transcript, self.bases)
        self._absorb(transcript, self.images)
        weights = transcript.challenges(len(self.bases))
        base, image = (
            product_of_powers(of, weights, self.modulus) for of in (self.bases, self.images)
        )
        return transcript, base * base % self.modulus, image * image % self.modulus

    def _challenge(self, transcript: Transcript, commitments: Sequence[int]) -> int:
        self._absorb(transcript, commitments)
        return transcript.challenge()

    def _absorb(self, transcript: Transcript, values: Sequence[int]) -> None:
        transcript.absorb_integers(values, (self.modulus.bit_length() + 7) // 8)
