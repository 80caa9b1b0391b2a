"""Proof that a sender knows what it encrypted, one proof for a whole vector.

Without it a bank could upload the inverse of another's ciphertext times its own and so take the
other out of the sum. Ciphertexts are joined into one by random 128-bit weights (small-exponent
batching, Bellare, Garay and Rabin, EUROCRYPT 1998); for that one, knowledge of plaintext and
root is shown as in Guillou–Quisquater: commit ``(1 + u n) s^n``, respond ``u + e m`` and ``s r^e``.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import gmpy2
from gmpy2 import mpz

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.exponentiation import product_of_powers
from consortium.protocol.integers import from_fixed_bytes, to_fixed_bytes
from consortium.protocol.paillier import Ciphertext, PublicKey, Randomness
from consortium.protocol.transcript import CHALLENGE_BITS, HIDING_BITS, Transcript

_CHALLENGE_BYTES = CHALLENGE_BITS // 8


def prove_knowledge(
    public_key: PublicKey,
    plaintexts: Sequence[int],
    randomness: Randomness,
    ciphertexts: Sequence[Ciphertext],
    context: bytes,
) -> bytes:
    """Prove knowledge of all plaintexts, bound to ``context`` (sender, task, round).

    Bytes: challenge (16), plaintext response (|n|), root response (|n|).
    """
    n = public_key.n
    transcript, weights = _begin(public_key, ciphertexts, context)
    plaintext = sum(w * m for w, m in zip(weights, plaintexts, strict=True)) % n
    exponent = sum(w * a for w, a in zip(weights, randomness.exponents, strict=True))
    mask_bits = exponent.bit_length() + CHALLENGE_BITS + HIDING_BITS
    plaintext_mask, exponent_mask = secrets.randbelow(n), secrets.randbits(mask_bits) + 1
    root_mask = gmpy2.powmod_sec(randomness.root, exponent_mask, n)
    challenge = _challenge(transcript, public_key, _seal(public_key, plaintext_mask, root_mask))
    plaintext_response = (plaintext_mask + challenge * plaintext) % n
    root_response = gmpy2.powmod_sec(randomness.root, exponent_mask + challenge * exponent, n)
    return challenge.to_bytes(_CHALLENGE_BYTES, "big") + to_fixed_bytes(
        [plaintext_response, root_response], public_key.key_bits // 8
    )


def verify_knowledge(
    public_key: PublicKey, ciphertexts: Sequence[Ciphertext], context: bytes, proof: bytes
) -> None:
    """Refuse unless ``proof`` was made for exactly these ciphertexts in this context.

    ``ciphertexts`` must have passed ``paillier.check``.
    """
    width = public_key.key_bits // 8
    if len(proof) != _CHALLENGE_BYTES + 2 * width:
        raise _refusal()
    challenge = int.from_bytes(proof[:_CHALLENGE_BYTES], "big")
    plaintext, root = from_fixed_bytes(proof[_CHALLENGE_BYTES:], width, "A proof")
    if not (plaintext < public_key.n and 0 < root < public_key.n):
        raise _refusal()
    transcript, weights = _begin(public_key, ciphertexts, context)
    joined = product_of_powers(ciphertexts, weights, public_key.n_squared)
    commitment = (
        _seal(public_key, plaintext, root)
        * gmpy2.powmod(joined, -challenge, public_key.n_squared)
        % public_key.n_squared
    )
    if _challenge(transcript, public_key, int(commitment)) != challenge:
        raise _refusal()


def _begin(
    public_key: PublicKey, ciphertexts: Sequence[Ciphertext], context: bytes
) -> tuple[Transcript, list[int]]:
    """Absorb the statement and draw a weight for each ciphertext."""
    transcript = Transcript("consortium/knowledge-of-plaintext/1")
    transcript.absorb(bytes.fromhex(public_key.key_id), context)
    transcript.absorb_integers(ciphertexts, public_key.ciphertext_bytes)
    return transcript, transcript.challenges(len(ciphertexts))


def _challenge(transcript: Transcript, public_key: PublicKey, commitment: int) -> int:
    transcript.absorb_integers([commitment], public_key.ciphertext_bytes)
    return transcript.challenge()


def _seal(public_key: PublicKey, plaintext: int, root: int) -> int:
    """Paillier encryption of ``plaintext`` with the root ``root``."""
    n, modulus = mpz(public_key.n), mpz(public_key.n_squared)
    return int((1 + n * plaintext) * gmpy2.powmod(root, n, modulus) % modulus)


def _refusal() -> ProtocolRefused:
    return ProtocolRefused(
        "knowledge_not_proven",
        gettext_noop("The proof does not show that the sender knows what it encrypted."),
    )
