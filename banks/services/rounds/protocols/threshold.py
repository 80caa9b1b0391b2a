"""``paillier-threshold``: a key that nobody holds; any t custodians open a sum together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings

from banks.services.rounds.protocols import ciphertexts
from banks.services.rounds.protocols.interface import Dealt, IntArray, Terms, Upload
from consortium.protocol import dealing, paillier, threshold
from consortium.protocol.envelope import frame, unframe
from consortium.protocol.paillier import Ciphertext
from consortium.protocol.roster import Roster
from consortium.protocol.spec import Epoch, FreezeCertificate, PartialHeader, partials_context
from consortium.protocol.threshold import KeyShare, ThresholdPublicKey
from consortium.protocol.wire import Json


def public_key(epoch: Epoch) -> ThresholdPublicKey:
    return ThresholdPublicKey.from_wire(epoch.public, allow_small=settings.ALLOW_SMALL_KEYS)


# The key


def deal(roster: Roster) -> Dealt:
    """Takes seconds to minutes: two safe primes of half the key's length are searched for."""
    numbers = roster.numbers
    dealt = dealing.deal_in_own_process(
        settings.KEY_BITS, numbers.banks, numbers.threshold, allow_small=settings.ALLOW_SMALL_KEYS
    )
    return Dealt(
        public=dealt.public.to_wire(),
        key_id=dealt.public.key_id,
        key_bits=dealt.public.n.bit_length(),
        proof=dealt.biprimality,
        secrets=[share.to_wire() for share in dealt.shares],
    )


def check_public(epoch: Epoch, proof: bytes) -> None:
    dealing.check_public_side(public_key(epoch), proof)


def check_secret(epoch: Epoch, proof: bytes, secret: Json) -> None:
    dealing.check_dealing(public_key(epoch), proof, KeyShare.from_wire(secret))


# A contribution


def close(terms: Terms, vector: IntArray) -> Upload:
    return ciphertexts.close(terms, public_key(terms.epoch).paillier, vector)


def largest_upload(terms: Terms) -> int:
    return ciphertexts.largest_upload(terms, public_key(terms.epoch).paillier)


def check(terms: Terms, bank: str, upload: Upload) -> list[Ciphertext]:
    return ciphertexts.check(terms, public_key(terms.epoch).paillier, bank, upload)


# The sum


def add(terms: Terms, vectors: Sequence[list[Ciphertext]]) -> bytes:
    return ciphertexts.add(public_key(terms.epoch).paillier, vectors)


def give(terms: Terms, certificate: FreezeCertificate, aggregate: bytes) -> bytes:
    """This custodian's partial decryption, and the proof that it is one."""
    public, share = public_key(terms.epoch), KeyShare.from_wire(terms.secret())
    summed = paillier.from_bytes(aggregate, public.paillier)
    partials = threshold.partial_decryption(public, share, summed)
    context = partials_context(certificate.proposal.hash(), terms.node.identity)
    proof = threshold.prove_partials(public, share, summed, partials, context)
    return frame({}, threshold.partials_to_bytes(public, partials), proof)


def read(
    terms: Terms,
    certificate: FreezeCertificate,
    aggregate: bytes,
    header: PartialHeader,
    payload: bytes,
) -> tuple[int, list[int]]:
    public = public_key(terms.epoch)
    limit = terms.manifest.ciphertexts * public.partial_bytes + ciphertexts.PROOF_ALLOWANCE
    _head, (partials, proof) = unframe(payload, limit)
    values = threshold.partials_from_bytes(public, partials)
    threshold.verify_partials(
        public,
        header.index,
        paillier.from_bytes(aggregate, public.paillier),
        values,
        partials_context(header.proposal, header.bank),
        proof,
    )
    return header.index, values


def needed(terms: Terms) -> int:
    return public_key(terms.epoch).threshold


def open(
    terms: Terms,
    certificate: FreezeCertificate,
    aggregate: bytes,
    given: Mapping[str, tuple[int, list[int]]],
) -> IntArray:
    public = public_key(terms.epoch)
    summed = paillier.from_bytes(aggregate, public.paillier)
    plaintexts = threshold.combine(public, summed, dict(given.values()))
    return ciphertexts.unpacked(terms, certificate, plaintexts)
