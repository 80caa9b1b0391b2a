"""``secagg``: pairwise masks and a group pad; no key to any upload exists at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from banks import keys
from banks.services.rounds.protocols.interface import Dealt, IntArray, Terms, Upload
from consortium.protocol import group_key, secagg
from consortium.protocol.envelope import Signed, canonical, digest, frame, parse, unframe
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.group_key import GroupKey
from consortium.protocol.masked_round import (
    MaskAdvertisement,
    MaskRoll,
    check_advertisement,
    check_listed,
    check_one_roll,
    check_roll,
    roll_bytes,
    session_of,
    share_context,
)
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import seal_each, unseal
from consortium.protocol.secagg_messages import (
    Advertisement,
    ReleasedShare,
    RoundSecrets,
    SharePair,
)
from consortium.protocol.spec import Box, Epoch, FreezeCertificate, PartialHeader
from consortium.protocol.wire import Json
from consortium.protocol.words import Words

ALLOWANCE = 1 << 20


@dataclass(frozen=True)
class Masked:
    """A listed bank's masked vector, and the roll that it says it masked under."""

    bank: str
    words: Words
    roll: bytes


# The key


def deal(roster: Roster) -> Dealt:
    key = GroupKey.generate()
    return Dealt(
        public={"commitment": key.commitment},
        key_id=key.commitment,
        key_bits=group_key.KEY_BITS,
        proof=b"",
        secrets=[key.to_wire() for _member in roster.members],
    )


def check_public(epoch: Epoch, proof: bytes) -> None:
    group_key.check_public(epoch.public, epoch.key_id, epoch.key_bits)


def check_secret(epoch: Epoch, proof: bytes, secret: Json) -> None:
    check_public(epoch, proof)
    group_key.check_secret(GroupKey.from_wire(secret), epoch.key_id)


# Before anybody masks


def advertise(terms: Terms) -> bytes:
    """Fresh mask keys, kept in this bank's folder; what to publish, and a box for each member."""
    manifest, me = terms.manifest, terms.node.identity
    secrets, advertisement, pairs = secagg.begin(session_of(manifest), me)
    keys.save_round_secrets(terms.node.bank.slug, manifest.round, secrets.to_wire())
    boxes = seal_each(
        [
            (
                terms.roster.member(pair.holder).sealing_key,
                canonical(pair.to_wire()),
                share_context(manifest.task, manifest.round, me, pair.holder),
            )
            for pair in pairs
        ]
    )
    message = MaskAdvertisement(
        task=manifest.task,
        round=manifest.round,
        manifest=manifest.hash(),
        advertisement=advertisement,
        boxes=tuple(
            Box(bank=pair.holder, box=digest(box)) for pair, box in zip(pairs, boxes, strict=True)
        ),
    )
    return frame(terms.node.sign(message).to_wire(), *boxes)


@dataclass(frozen=True)
class Roll:
    """The advertisements that a round's banks mask under, and the boxes sealed to this bank."""

    signed: Signed
    roll: MaskRoll
    listed: Mapping[str, MaskAdvertisement]
    boxes: Mapping[str, bytes]

    @property
    def advertisements(self) -> dict[str, Advertisement]:
        return {bank: item.advertisement for bank, item in self.listed.items()}


def _roll(terms: Terms) -> Roll:
    """The roll as the centre serves it, checked; asked for once a step."""
    manifest, node = terms.manifest, terms.node
    if ("roll", manifest.round) not in node.seen:
        wire = node.centre.get(f"rounds/{manifest.round}/roll")
        signed = Signed.from_wire(wire["roll"])
        roll = check_roll(signed, manifest=manifest, roster=terms.roster)
        served = [Signed.from_wire(item["advertisement"]) for item in wire["advertisements"]]
        listed = check_listed(
            roll,
            [check_advertisement(one, manifest=manifest, roster=terms.roster) for one in served],
        )
        boxes = {
            one.signer: bytes.fromhex(item["box"])
            for one, item in zip(served, wire["advertisements"], strict=True)
        }
        node.seen[("roll", manifest.round)] = Roll(signed, roll, listed, boxes)
    found: Roll = node.seen[("roll", manifest.round)]
    return found


def _pair(terms: Terms, roll: Roll, owner: str) -> SharePair:
    """The two shares that ``owner`` sealed to this bank; refused by the owner's name."""
    manifest, me = terms.manifest, terms.node.identity
    context = share_context(manifest.task, manifest.round, owner, me)
    pair = SharePair.from_wire(parse(unseal(terms.node.sealing_key, roll.boxes[owner], context)))
    secagg.accept(session_of(manifest), me, roll.listed[owner].advertisement, pair)
    return pair


# A contribution


def close(terms: Terms, vector: IntArray) -> Upload:
    """Mask under the roll, once every bank's shares for this one have proved to be good."""
    manifest, node = terms.manifest, terms.node
    roll = _roll(terms)
    for owner in roll.roll.banks:
        _pair(terms, roll, owner)
    held = keys.round_secrets(node.bank.slug, manifest.round)
    if held is None:
        raise Refused(
            "mask_keys_lost",
            gettext_noop("This bank's mask keys of the round are not in its folder."),
        )
    session = session_of(manifest)
    words = secagg.mask(
        session,
        node.identity,
        RoundSecrets.from_wire(held),
        roll.advertisements,
        _group_key(terms),
        vector,
    )
    return Upload(secagg.to_bytes(session, words), roll_bytes(roll.signed))


def largest_upload(terms: Terms) -> int:
    return session_of(terms.manifest).body_bytes + ALLOWANCE


def check(terms: Terms, bank: str, upload: Upload) -> Masked:
    words = secagg.from_bytes(session_of(terms.manifest), upload.body)
    return Masked(bank, words, upload.proof)


# The sum


def add(terms: Terms, vectors: Sequence[Masked]) -> bytes:
    """The masked sum, with the one roll that all its vectors were masked under."""
    manifest = terms.manifest
    part = terms.node.part(manifest.round)
    own = part.submission["body"]["proof"] if part and part.submission else None
    signed = check_one_roll(
        [one.roll for one in vectors], manifest=manifest, roster=terms.roster, own=own
    )
    if not {one.bank for one in vectors} <= set(MaskRoll.from_wire(signed.body).banks):
        raise ProtocolRefused(
            "bad_freeze", gettext_noop("The list names a bank that published no mask keys.")
        )
    session = session_of(manifest)
    total = secagg.add(session, {one.bank: one.words for one in vectors})
    return frame(signed.to_wire(), secagg.to_bytes(session, total))


def give(terms: Terms, certificate: FreezeCertificate, aggregate: bytes) -> bytes:
    """Of every bank of the roll one share: of its seed if it is in the sum, of its key if not.

    Which kind is decided by the one list that this bank remembers for the round.
    """
    roll, _total = _parts(terms, aggregate)
    held = {}
    for owner in roll.roll.banks:
        try:
            held[owner] = _pair(terms, roll, owner)
        except ProtocolRefused:  # that bank is named by those who miss its shares
            continue
    shares = secagg.release(
        session_of(terms.manifest), terms.node.identity, held, certificate.proposal.banks
    )
    return frame({}, canonical([share.to_wire() for share in shares]))


def read(
    terms: Terms,
    certificate: FreezeCertificate,
    aggregate: bytes,
    header: PartialHeader,
    payload: bytes,
) -> list[ReleasedShare]:
    _head, blobs = unframe(payload, len(terms.manifest.members) * 1024 + ALLOWANCE)
    shares = [ReleasedShare.from_wire(item) for blob in blobs for item in parse(blob)]
    if any(share.holder != header.bank for share in shares):
        raise ProtocolRefused(
            "forged_share",
            gettext_noop("Bank %(holder)s released a share that it was not given."),
            holder=header.bank,
        )
    roll, _total = _parts(terms, aggregate)
    session, alive = session_of(terms.manifest), certificate.proposal.banks
    secagg.check_released(session, roll.advertisements, alive, shares)
    return shares


def needed(terms: Terms) -> int:
    return terms.manifest.quorum


def open(
    terms: Terms,
    certificate: FreezeCertificate,
    aggregate: bytes,
    given: Mapping[str, list[ReleasedShare]],
) -> IntArray:
    roll, total = _parts(terms, aggregate)
    return secagg.unmask(
        session_of(terms.manifest),
        roll.advertisements,
        certificate.proposal.banks,
        total,
        [share for shares in given.values() for share in shares],
        _group_key(terms),
    )


def _parts(terms: Terms, aggregate: bytes) -> tuple[Roll, Words]:
    """The roll and the words of a sum this bank added; refused if another roll is served now."""
    head, (words,) = unframe(aggregate, largest_upload(terms))
    roll = _roll(terms)
    if roll.signed.to_wire() != head:
        raise ProtocolRefused(
            "two_rolls",
            gettext_noop("The uploads were masked under another roll than the centre now shows."),
        )
    return roll, secagg.from_bytes(session_of(terms.manifest), words)


def _group_key(terms: Terms) -> bytes:
    return GroupKey.from_wire(terms.secret()).secret
