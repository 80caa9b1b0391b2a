"""``paillier-phe``: one key in every bank's hand, for the laboratory only.

Whoever holds the key opens every upload that it sees. Kept to compare with; never for data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings

from banks.services.rounds.protocols import ciphertexts
from banks.services.rounds.protocols.interface import Dealt, IntArray, Terms, Upload
from consortium.protocol import paillier
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.packing import require_laboratory_size
from consortium.protocol.paillier import Ciphertext, PublicKey
from consortium.protocol.roster import Roster
from consortium.protocol.shared_key import SharedKey
from consortium.protocol.spec import Epoch, FreezeCertificate, PartialHeader
from consortium.protocol.wire import Json


def public_key(epoch: Epoch) -> PublicKey:
    return PublicKey.from_wire(epoch.public, allow_small=settings.ALLOW_SMALL_KEYS)


# The key


def deal(roster: Roster) -> Dealt:
    key = SharedKey.generate(settings.KEY_BITS, allow_small=settings.ALLOW_SMALL_KEYS)
    return Dealt(
        public=key.public.to_wire(),
        key_id=key.public.key_id,
        key_bits=key.public.key_bits,
        proof=b"",
        secrets=[key.to_wire() for _member in roster.members],
    )


def check_public(epoch: Epoch, proof: bytes) -> None:
    if public_key(epoch).key_id != epoch.key_id:
        raise ProtocolRefused(
            "bad_epoch", gettext_noop("The published key is not the one that the epoch names.")
        )


def check_secret(epoch: Epoch, proof: bytes, secret: Json) -> None:
    found = SharedKey.from_wire(secret, allow_small=settings.ALLOW_SMALL_KEYS)
    if found.public.n != public_key(epoch).n or found.public.key_id != epoch.key_id:
        raise ProtocolRefused(
            "wrong_share", gettext_noop("The sealed key does not fit the published one.")
        )


# A contribution


def close(terms: Terms, vector: IntArray) -> Upload:
    require_laboratory_size(terms.manifest.length)
    return ciphertexts.close(terms, public_key(terms.epoch), vector)


def largest_upload(terms: Terms) -> int:
    return ciphertexts.largest_upload(terms, public_key(terms.epoch))


def check(terms: Terms, bank: str, upload: Upload) -> list[Ciphertext]:
    return ciphertexts.check(terms, public_key(terms.epoch), bank, upload)


# The sum


def add(terms: Terms, vectors: Sequence[list[Ciphertext]]) -> bytes:
    return ciphertexts.add(public_key(terms.epoch), vectors)


def give(terms: Terms, certificate: FreezeCertificate, aggregate: bytes) -> bytes:
    raise ProtocolRefused(
        "nothing_to_give", gettext_noop("Under one shared key every bank opens the sum by itself.")
    )


def read(
    terms: Terms,
    certificate: FreezeCertificate,
    aggregate: bytes,
    header: PartialHeader,
    payload: bytes,
) -> None:
    """Nobody gives anything: see ``give``."""


def needed(terms: Terms) -> int:
    return 0


def open(
    terms: Terms, certificate: FreezeCertificate, aggregate: bytes, given: Mapping[str, None]
) -> IntArray:
    key = SharedKey.from_wire(terms.secret(), allow_small=settings.ALLOW_SMALL_KEYS)
    plaintexts = key.open(paillier.from_bytes(aggregate, key.public))
    return ciphertexts.unpacked(terms, certificate, plaintexts)
