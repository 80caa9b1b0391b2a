"""``paillier-phe``: as threshold Paillier, but every bank opens by itself. Laboratory only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from aggregation.models import Round
from aggregation.services.protocols.ciphertexts import (
    add,
    body_bytes,
    check,
    contributors,
    modulus,
)
from aggregation.services.protocols.ciphertexts import ciphertexts as any_ciphertexts
from consortium.protocol.packing import Layout, require_laboratory_size
from consortium.protocol.spec import Manifest

Phase: TypeAlias = Round.Phase
phases: tuple[Phase, ...] = (Phase.COLLECTING, Phase.SIGNING, Phase.DERIVING)


def ciphertexts(length: int, layout: Layout, key_bits: int) -> int:
    require_laboratory_size(length)
    return any_ciphertexts(length, layout, key_bits)


def payload_bytes(round_: Round, manifest: Manifest) -> int:
    return 0


def openers(round_: Round, present: Sequence[str]) -> list[str]:
    return []


def needed(manifest: Manifest) -> int:
    return 0


__all__ = [
    "add",
    "body_bytes",
    "check",
    "ciphertexts",
    "contributors",
    "modulus",
    "needed",
    "openers",
    "payload_bytes",
    "phases",
]
