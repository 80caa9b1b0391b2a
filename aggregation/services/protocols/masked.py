"""``secagg``: the centre keeps a roll of mask keys, adds words it cannot read, passes on shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from aggregation.models import Round
from consortium.protocol import group_key, secagg
from consortium.protocol.envelope import Signed, frame
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.masked_round import MaskRoll, roll_bytes, session_of
from consortium.protocol.packing import Layout
from consortium.protocol.spec import Epoch, Manifest

Phase: TypeAlias = Round.Phase
phases: tuple[Phase, ...] = (
    Phase.ADVERTISING,
    Phase.COLLECTING,
    Phase.SIGNING,
    Phase.OPENING,
    Phase.DERIVING,
)
ALLOWANCE = 64 * 1024
SHARE_BYTES = 512


def modulus(epoch: Epoch) -> bytes:
    """Nothing: masked vectors are checked by their length alone."""
    group_key.check_public(epoch.public, epoch.key_id, epoch.key_bits)
    return b""


def ciphertexts(length: int, layout: Layout, key_bits: int) -> int:
    return 0


def body_bytes(round_: Round, manifest: Manifest) -> int:
    return session_of(manifest).body_bytes


def contributors(round_: Round, manifest: Manifest) -> tuple[str, ...]:
    """The banks of the roll: nobody else can mask."""
    return MaskRoll.from_wire(round_.roll["body"]).banks if round_.roll else ()


def check(round_: Round, manifest: Manifest, bank: str, body: bytes, proof: bytes) -> None:
    if round_.roll is None or proof != roll_bytes(Signed.from_wire(round_.roll)):
        raise ProtocolRefused(
            "other_roll", gettext_noop("The vector was masked under another roll of mask keys.")
        )
    if bank not in contributors(round_, manifest):
        raise ProtocolRefused(
            "not_in_roll", gettext_noop("This bank published no mask keys in time.")
        )


def add(round_: Round, bodies: Sequence[bytes]) -> bytes:
    session = session_of(Manifest.from_wire(round_.manifest["body"]))
    words = {str(place): secagg.from_bytes(session, body) for place, body in enumerate(bodies)}
    return frame(dict(round_.roll or {}), secagg.to_bytes(session, secagg.add(session, words)))


def payload_bytes(round_: Round, manifest: Manifest) -> int:
    return len(manifest.members) * SHARE_BYTES + ALLOWANCE


def openers(round_: Round, present: Sequence[str]) -> list[str]:
    """All at once: each holds shares of every bank, and a quorum of them is needed."""
    if round_.certified_at is None:
        return []
    members = Manifest.from_wire(round_.manifest["body"]).members
    return [bank for bank in present if bank in members]


def needed(manifest: Manifest) -> int:
    return manifest.quorum
