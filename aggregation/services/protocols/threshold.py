"""``paillier-threshold``: the centre adds ciphertexts; t custodians give partial decryptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from django.utils import timezone

from aggregation.models import Round
from aggregation.services.protocols.ciphertexts import (
    PROOF_ALLOWANCE,
    add,
    body_bytes,
    check,
    ciphertexts,
    contributors,
    modulus,
)
from consortium.protocol.spec import Manifest

Phase: TypeAlias = Round.Phase
phases: tuple[Phase, ...] = (Phase.COLLECTING, Phase.SIGNING, Phase.OPENING, Phase.DERIVING)


def payload_bytes(round_: Round, manifest: Manifest) -> int:
    return body_bytes(round_, manifest) + PROOF_ALLOWANCE


def openers(round_: Round, present: Sequence[str]) -> list[str]:
    """A committee of t begins; with each lease that passes without a result, one more bank of the
    rotation steps in, so a custodian that is away or gives a bad partial stops nobody."""
    if round_.certified_at is None or not present:
        return []
    first = round_.pk.int % len(present)
    rotation = [*present[first:], *present[:first]]
    waited = (timezone.now() - round_.certified_at).total_seconds()
    threshold: int = round_.manifest["body"]["threshold"]
    return rotation[: threshold + int(waited // round_.run.task.lease_seconds)]


def needed(manifest: Manifest) -> int:
    return manifest.threshold


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
