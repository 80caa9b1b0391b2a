"""Sums by pairwise masks: no decryption key exists at all.

Secure aggregation with double masking (Bonawitz and others, ACM CCS 2017). Each two banks share a
mask that one adds and the other subtracts; each bank adds a mask of its own as well, so that a
vector that arrives late stays hidden although its pairwise masks were recovered; the seeds of
both are shared among all by Shamir's scheme. After the freeze certificate each bank releases, for
every member, one kind of share only: of the seed if its vector is in, of the key if it is not.
A bank's own mask depends on a key that only banks hold, too: that keeps the sum from the
coordinator.

This is the pure part: sealing shares to their holders, signing, the certificate and the memory of
what was released belong to the caller.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.masking import add_masks, agree, derive, private_key, public_key
from consortium.protocol.packing import Integers
from consortium.protocol.secagg_messages import (
    Advertisement,
    Kind,
    ReleasedShare,
    RoundSecrets,
    Session,
    ShareCommitment,
    SharePair,
)
from consortium.protocol.shamir import join, split
from consortium.protocol.words import Words, words_from_bytes, words_to_bytes

FIELD = 2**521 - 1
"""The prime field of the shares: room for 256-bit secrets, and one reduction is cheap."""

Advertisements = Mapping[str, Advertisement]


# A bank's steps


def begin(session: Session, me: str) -> tuple[RoundSecrets, Advertisement, list[SharePair]]:
    """Fresh secrets, what to publish of them, and a pair of shares to seal to each member."""
    _require_member(session, me)
    mine = RoundSecrets(mask_key=secrets.token_hex(32), seed=secrets.token_hex(32))
    points = range(1, len(session.members) + 1)
    keys, seeds = (
        split(int(secret, 16), session.threshold, points, FIELD)
        for secret in (mine.mask_key, mine.seed)
    )
    pairs = [
        SharePair(me, holder, format(keys[point], "0132x"), format(seeds[point], "0132x"))
        for point, holder in zip(points, session.members, strict=True)
    ]
    commitments = tuple(
        ShareCommitment(
            pair.holder,
            _commit(session, "key", me, pair.holder, pair.key),
            _commit(session, "seed", me, pair.holder, pair.seed),
        )
        for pair in pairs
    )
    mask_public = public_key(bytes.fromhex(mine.mask_key)).hex()
    seed_commitment = _commit(session, "seed", me, me, mine.seed)
    return mine, Advertisement(me, mask_public, seed_commitment, commitments), pairs


def accept(session: Session, me: str, advertisement: Advertisement, pair: SharePair) -> None:
    """Refuse, naming the owner, shares that are not those it committed to."""
    expected = _commitment(session, advertisement, me)
    if (
        (pair.owner, pair.holder) != (advertisement.owner, me)
        or _commit(session, "key", pair.owner, me, pair.key) != expected.key
        or _commit(session, "seed", pair.owner, me, pair.seed) != expected.seed
    ):
        raise ProtocolRefused(
            "forged_share",
            gettext_noop("Bank %(owner)s sent shares that it did not commit to."),
            owner=advertisement.owner,
        )


def mask(
    session: Session,
    me: str,
    mine: RoundSecrets,
    advertisements: Advertisements,
    group_key: bytes,
    values: Integers,
) -> Words:
    """This bank's masked vector: uint32[P] or uint64[P], uniform to everybody without a quorum.

    Of each word ``session.word_bits`` bits leave the bank.
    """
    _require_enough(session, advertisements)
    numbers = np.asarray(values)
    if numbers.dtype != np.int64 or numbers.shape != (session.length,):
        raise ProtocolRefused(
            "malformed_vector",
            gettext_noop("The vector must be a row of %(length)s int64 values."),
            length=session.length,
        )
    largest = session.layout.largest
    if numbers.min() < -largest or numbers.max() > largest:
        raise ProtocolRefused(
            "value_out_of_range",
            gettext_noop("A value is outside ±%(largest)s, the range of %(layout)s."),
            largest=largest,
            layout=session.words,
        )
    vector = numbers.astype(session.dtype)
    key = private_key(bytes.fromhex(mine.mask_key))
    others = [entry for owner, entry in sorted(advertisements.items()) if owner != me]
    above, below = _pair_keys(session, me, key, others)
    own = _own_key(session, me, mine.seed, group_key)
    add_masks(vector, add=[own, *above], subtract=below)
    return vector


def release(
    session: Session,
    me: str,
    held: Mapping[str, SharePair],
    survivors: Iterable[str],
    before: Iterable[ReleasedShare] = (),
) -> list[ReleasedShare]:
    """The one share of every bank in ``held`` that the frozen list ``survivors`` calls for.

    ``before`` is all that this bank has released in this session; the caller keeps what is
    returned *before* it sends it. With both kinds of a bank's shares out its vector is open, so
    another list that asks for the other kind is refused.
    """
    alive = _require_survivors(session, survivors)
    wanted: dict[str, Kind] = {o: "seed" if o in alive else "key" for o in sorted(held)}
    for share in before:
        if wanted[share.owner] != share.kind:
            raise ProtocolRefused(
                "both_shares",
                gettext_noop("The other share of bank %(owner)s was released already."),
                owner=share.owner,
            )
    return [
        ReleasedShare(owner, me, kind, getattr(held[owner], kind)) for owner, kind in wanted.items()
    ]


def open_sum(
    session: Session,
    advertisements: Advertisements,
    masked: Mapping[str, Words],
    released: Sequence[ReleasedShare],
    group_key: bytes,
) -> Integers:
    """The sum int64[P] of the vectors in ``masked``, whose banks are the frozen list.

    Every bank does this itself, from the signed vectors and released shares. A share that does
    not fit its commitment is refused by the name of its holder, shares that do not fit together
    by the name of their owner.
    """
    total = add(session, masked)
    return unmask(session, advertisements, list(masked), total, released, group_key)


def add(session: Session, masked: Mapping[str, Words]) -> Words:
    """The sum of masked vectors, still masked."""
    total = np.zeros(session.length, session.dtype)
    for bank, vector in masked.items():
        if vector.dtype != session.dtype or vector.shape != (session.length,):
            raise ProtocolRefused(
                "malformed_vector",
                gettext_noop("The masked vector of bank %(owner)s has another form."),
                owner=bank,
            )
        np.add(total, vector, out=total)
    return total


def unmask(
    session: Session,
    advertisements: Advertisements,
    survivors: Iterable[str],
    total: Words,
    released: Sequence[ReleasedShare],
    group_key: bytes,
) -> Integers:
    """The sum int64[P] whose masked form is ``total``; the banks in it are ``survivors``."""
    _require_enough(session, advertisements)
    alive = _require_survivors(session, survivors)
    for bank in alive:
        _require_advertised(advertisements, bank)
    shares = check_released(session, advertisements, alive, released)
    total = total.copy()
    add: list[bytes] = []
    subtract: list[bytes] = []
    for owner in sorted(advertisements):
        secret = _recover(session, advertisements[owner], shares[owner], alive=owner in alive)
        if owner in alive:
            subtract.append(_own_key(session, owner, secret, group_key))
            continue
        key = private_key(bytes.fromhex(secret))
        # What the survivors added for a pair is what the absent bank would have taken away.
        above, below = _pair_keys(session, owner, key, [advertisements[bank] for bank in alive])
        add += above
        subtract += below
    add_masks(total, add, subtract)
    return _signed(session, total, len(alive))


def to_bytes(session: Session, vector: Words) -> bytes:
    """A masked vector, or a masked sum, as it crosses the wire."""
    return words_to_bytes(vector, session.word_bits)


def from_bytes(session: Session, blob: bytes) -> Words:
    """Read what ``to_bytes`` wrote; refused if it is of another length."""
    return words_from_bytes(blob, session.length, session.word_bits, session.dtype)


# Inside


def _pair_keys(
    session: Session, me: str, mask_key: X25519PrivateKey, others: Iterable[Advertisement]
) -> tuple[list[bytes], list[bytes]]:
    """Keys of the masks that bank ``me`` adds, as the first of a pair, and that it subtracts."""
    add: list[bytes] = []
    subtract: list[bytes] = []
    for other in others:
        try:
            shared = agree(mask_key, bytes.fromhex(other.mask_key))
        except ValueError as fault:
            raise ProtocolRefused(
                "bad_mask_key",
                gettext_noop("The mask key of bank %(owner)s is not usable."),
                owner=other.owner,
            ) from fault
        first, second = sorted((me, other.owner))
        key = derive(shared, session.context, f"pair {first} {second}")
        (add if me == first else subtract).append(key)
    return add, subtract


def _own_key(session: Session, bank: str, seed: str, group_key: bytes) -> bytes:
    """The key of a bank's own mask: neither its seed nor the group key alone gives it.

    Two secrets side by side into one derivation, as in NIST SP 800-56C revision 2, section 2.
    """
    return derive(bytes.fromhex(seed) + group_key, session.context, f"own {bank}")


def _commit(session: Session, kind: Kind, owner: str, holder: str, secret: str) -> str:
    text = "\0".join((kind, owner, holder, secret)).encode()
    return hashlib.sha256(b"consortium/share/1\0" + session.context + text).hexdigest()


def _commitment(session: Session, advertisement: Advertisement, holder: str) -> ShareCommitment:
    """The commitment for one holder; an advertisement has exactly one for each member."""
    if tuple(entry.holder for entry in advertisement.shares) != session.members:
        raise ProtocolRefused(
            "malformed_advertisement",
            gettext_noop("Bank %(owner)s did not commit to a share for every member."),
            owner=advertisement.owner,
        )
    _require_member(session, holder)
    return advertisement.shares[session.members.index(holder)]


def check_released(
    session: Session,
    advertisements: Advertisements,
    alive: Sequence[str],
    released: Sequence[ReleasedShare],
) -> dict[str, dict[int, int]]:
    """Shares by owner and point; refused are forged ones, and those of the wrong kind."""
    found: dict[str, dict[int, int]] = {owner: {} for owner in advertisements}
    for share in released:
        _require_advertised(advertisements, share.owner)
        expected = _commitment(session, advertisements[share.owner], share.holder)
        commitment = _commit(session, share.kind, share.owner, share.holder, share.share)
        if commitment != getattr(expected, share.kind):
            raise ProtocolRefused(
                "forged_share",
                gettext_noop("Bank %(holder)s released a share that it was not given."),
                holder=share.holder,
            )
        if (share.kind == "seed") != (share.owner in alive):
            raise ProtocolRefused(
                "both_shares",
                gettext_noop("A share of the wrong kind was released by bank %(holder)s."),
                holder=share.holder,
            )
        found[share.owner][session.members.index(share.holder) + 1] = int(share.share, 16)
    return found


def _recover(
    session: Session, advertisement: Advertisement, shares: Mapping[int, int], *, alive: bool
) -> str:
    """The seed of a bank that is in, the mask key of one that is not."""
    if len(shares) < session.threshold:
        raise ProtocolRefused(
            "too_few_shares",
            gettext_noop("%(have)s of %(need)s shares of bank %(owner)s are here."),
            have=len(shares),
            need=session.threshold,
            owner=advertisement.owner,
        )
    secret = format(join(dict(sorted(shares.items())[: session.threshold]), FIELD), "064x")
    owner = advertisement.owner
    if alive:
        fits = _commit(session, "seed", owner, owner, secret) == advertisement.seed
    else:
        fits = len(secret) == 64 and (
            public_key(bytes.fromhex(secret)).hex() == advertisement.mask_key
        )
    if not fits:
        raise ProtocolRefused(
            "inconsistent_shares",
            gettext_noop("The shares that bank %(owner)s gave out do not fit together."),
            owner=owner,
        )
    return secret


def _signed(session: Session, total: Words, contributors: int) -> NDArray[np.int64]:
    """Words read in place as signed numbers, within what honest values sum to."""
    unused = 8 * session.dtype.itemsize - session.word_bits
    total <<= unused
    signed = total.view(np.int32 if session.dtype.itemsize == 4 else np.int64)
    np.right_shift(signed, unused, out=signed)
    bound = contributors * session.layout.largest
    if signed.min() < -bound or signed.max() > bound:
        raise ProtocolRefused(
            "sum_out_of_range",
            gettext_noop("The opened sum is outside what its members can have sent."),
        )
    return signed.astype(np.int64)


def _require_member(session: Session, bank: str) -> None:
    if bank not in session.members:
        raise ProtocolRefused(
            "not_a_member",
            gettext_noop("Bank %(bank)s is not a member of this sum."),
            bank=bank,
        )


def _require_enough(session: Session, advertisements: Advertisements) -> None:
    """Advertisements of members under their own names, as many as give shares later."""
    members = set(advertisements) <= set(session.members)
    enough = members and session.threshold <= len(advertisements)
    if not enough or any(owner != entry.owner for owner, entry in advertisements.items()):
        raise ProtocolRefused(
            "malformed_advertisement",
            gettext_noop(
                "A masked sum needs the advertisements of %(need)s members, each under its name."
            ),
            need=session.threshold,
        )


def _require_advertised(advertisements: Advertisements, bank: str) -> None:
    if bank not in advertisements:
        raise ProtocolRefused(
            "not_a_member", gettext_noop("Bank %(bank)s is not a member of this sum."), bank=bank
        )


def _require_survivors(session: Session, survivors: Iterable[str]) -> list[str]:
    alive = sorted(survivors)
    for bank in alive:
        _require_member(session, bank)
    if len(alive) != len(set(alive)) or len(alive) < session.threshold:
        raise ProtocolRefused(
            "too_few_members",
            gettext_noop("Only %(have)s of the %(need)s members that a sum needs are in."),
            have=len(set(alive)),
            need=session.threshold,
        )
    return alive
