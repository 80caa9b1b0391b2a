"""A fixed cast for tests: banks with keys that anyone can compute. Worthless elsewhere."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from consortium.protocol.envelope import COORDINATOR, Signed, SigningKey, sign
from consortium.protocol.roster import Roster, RosterMember, SignedRoster, sign_roster
from consortium.protocol.sealing import SealingKey
from consortium.protocol.spec import (
    Contribution,
    Custodian,
    Epoch,
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    Manifest,
    Receipt,
    SubmissionHeader,
    starting_point,
)

NOW = 1_800_000_000


def _secret(text: str) -> bytes:
    return sha256(text.encode()).digest()


def identifier(text: str) -> str:
    """A UUID that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def digest_of(text: str) -> str:
    return _secret(text).hex()


@dataclass(frozen=True)
class Player:
    """One bank of the cast."""

    bank: str
    name: str
    signing: SigningKey
    sealing: SealingKey

    @property
    def member(self) -> RosterMember:
        return RosterMember(self.bank, self.name, self.signing.verify_key.text, self.sealing.public)

    def sign(self, message: Any) -> Signed:
        return sign(message, signer=self.bank, key=self.signing)


def player(name: str) -> Player:
    return Player(
        identifier(name),
        name,
        SigningKey(_secret(f"signing {name}")),
        SealingKey(_secret(f"sealing {name}")),
    )


def players(count: int) -> list[Player]:
    """``count`` banks, ordered by their UUIDs as rosters are."""
    return sorted((player(f"Bank {i}") for i in range(count)), key=lambda p: p.bank)


CENTRE_KEY = SigningKey(_secret("centre"))
TASK = identifier("task")


def by_centre(message: Any) -> Signed:
    return sign(message, signer=COORDINATOR, key=CENTRE_KEY)


def first_roster(cast: list[Player]) -> SignedRoster:
    roster = Roster(
        task=TASK,
        version=1,
        previous=None,
        coordinator_key=CENTRE_KEY.verify_key.text,
        members=tuple(player.member for player in cast),
    )
    return SignedRoster(
        roster, tuple(sign_roster(roster, bank=p.bank, key=p.signing) for p in cast)
    )


def an_epoch(roster: Roster, /, **changes: Any) -> Epoch:
    facts: dict[str, Any] = {
        "task": TASK,
        "epoch": identifier("epoch"),
        "roster": roster.hash(),
        "roster_version": roster.version,
        "protocol": "paillier-threshold",
        "key_id": digest_of("key"),
        "key_bits": 512,
        "public": {"n": "c5"},
        "dealer": roster.banks[0],
        "custodians": tuple(
            Custodian(bank, i, digest_of(f"share {bank}"))
            for i, bank in enumerate(roster.banks, start=1)
        ),
    }
    return Epoch(**{**facts, **changes})


def a_manifest(roster: Roster, /, **changes: Any) -> Manifest:
    numbers, seed, model = roster.numbers, digest_of("seed"), {"family": "mlp"}
    facts: dict[str, Any] = {
        "task": TASK,
        "run": identifier("run"),
        "round": identifier("round"),
        "number": 1,
        "attempt": 1,
        "step": "update",
        "purpose": "fraud detection",
        "protocol": "paillier-threshold",
        "layout": "k16b24",
        "length": 40,
        "ciphertexts": 3,
        "clip": "0.25",
        "weight_cap": "10000",
        "epoch": identifier("epoch"),
        "key_id": digest_of("key"),
        "key_bits": 512,
        "roster": roster.hash(),
        "roster_version": roster.version,
        "members": roster.banks,
        "minimum_cohort": numbers.minimum_cohort,
        "quorum": numbers.quorum,
        "threshold": numbers.threshold,
        "base_model": starting_point(seed, model),
        "window": "",
        "seed": seed,
        "model": model,
        "recipe": {"epochs": 2, "learning_rate": "0.01"},
        "opened_at": NOW,
        "deadline": NOW + 600,
    }
    return Manifest(**{**facts, **changes})


def a_header(player: Player, manifest: Manifest, /, **changes: Any) -> SubmissionHeader:
    facts: dict[str, Any] = {
        "task": manifest.task,
        "round": manifest.round,
        "bank": player.bank,
        "manifest": manifest.hash(),
        "ciphertexts": sha256(ciphertexts_of(player)).hexdigest(),
        "proof": sha256(b"proof").hexdigest(),
    }
    return SubmissionHeader(**{**facts, **changes})


def ciphertexts_of(player: Player) -> bytes:
    return b"ciphertexts of " + player.name.encode()


def a_receipt(player: Player, manifest: Manifest) -> Receipt:
    header = a_header(player, manifest)
    return Receipt(
        manifest.task, manifest.round, player.bank, header.hash(), 7, digest_of("entry"), NOW
    )


def a_proposal(cast: list[Player], manifest: Manifest, /, **changes: Any) -> FreezeProposal:
    proposal = FreezeProposal(
        manifest.task,
        manifest.round,
        manifest.hash(),
        manifest.subject,
        tuple(Contribution(p.bank, a_header(p, manifest).hash()) for p in cast),
    )
    return replace(proposal, **changes)


def freeze_word(player: Player, proposal: FreezeProposal) -> Signed:
    return player.sign(
        FreezeSignature(proposal.task, proposal.round, proposal.subject, proposal.hash())
    )


def a_certificate(cast: list[Player], proposal: FreezeProposal) -> FreezeCertificate:
    return FreezeCertificate(proposal, tuple(freeze_word(p, proposal) for p in cast))
