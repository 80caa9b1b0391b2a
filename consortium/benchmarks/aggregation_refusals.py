"""How long the centre looks at an upload that does not belong to the round before it refuses it.

The checks are those before anything is kept: the bytes hashed, the frame read, the signature and
the context in the signed header compared.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from hashlib import sha256
from typing import Any

from consortium.benchmarks.measuring import REPEATS, Stopwatch
from consortium.protocol.custody import check_submission
from consortium.protocol.envelope import Signed, SigningKey, digest, frame, sign, unframe
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.packing import LAYOUTS, ciphertexts_needed
from consortium.protocol.roster import Roster, RosterMember
from consortium.protocol.sealing import SealingKey
from consortium.protocol.spec import Manifest, SubmissionHeader

_LAYOUT = LAYOUTS["k16b24"]
_PROOF = bytes(1024)


def seconds_to_refuse(length: int, banks: int, key_bits: int) -> dict[str, Any]:
    """CPU seconds until each kind of foreign upload is refused, and the bytes of its frame."""
    keys = [SigningKey.generate() for _ in range(banks)]
    roster = _roster(keys)
    manifest = _manifest(roster, length, key_bits)
    count = ciphertexts_needed(length, _LAYOUT, key_bits)
    body = secrets.token_bytes(count * 2 * key_bits // 8)
    watch = Stopwatch()
    honest = _upload(manifest, roster, keys[0], body)
    check_submission(*_read(honest), manifest=manifest, roster=roster)
    for kind, upload in _foreign(manifest, roster, keys, body).items():
        for _ in range(REPEATS):
            with watch.measure("add", kind):
                _refuse(upload, manifest, roster)
    seconds = {step.removeprefix("add: "): found for step, found in watch.steps.items()}
    return {"parameters": length, "bytes": len(honest), "seconds": seconds}


def _foreign(
    manifest: Manifest, roster: Roster, keys: list[SigningKey], body: bytes
) -> dict[str, bytes]:
    """One upload of each kind that a mistake or an attack would send."""

    def made_for(other: Manifest) -> bytes:
        return _upload(other, roster, keys[0], body)

    honest = made_for(manifest)
    return {
        "another task": made_for(replace(manifest, task=_identifier(9))),
        "another round": made_for(replace(manifest, round=_identifier(9))),
        "another model": made_for(replace(manifest, base_model=digest(b"another model"))),
        "another key": made_for(replace(manifest, key_id=digest(b"another key"))),
        "another bank's signature": _upload(manifest, roster, keys[1], body),
        "one byte changed": honest[:-1] + bytes([honest[-1] ^ 1]),
    }


def _refuse(upload: bytes, manifest: Manifest, roster: Roster) -> None:
    try:
        check_submission(*_read(upload), manifest=manifest, roster=roster)
    except ProtocolRefused:
        return
    raise AssertionError("an upload of another context was taken")


def _read(upload: bytes) -> tuple[Signed, bytes, bytes]:
    sha256(upload).digest()
    head, (body, proof) = unframe(upload, len(upload))
    return Signed.from_wire(head), body, proof


def _upload(manifest: Manifest, roster: Roster, key: SigningKey, body: bytes) -> bytes:
    bank = roster.members[0].bank
    header = SubmissionHeader(
        task=manifest.task,
        round=manifest.round,
        bank=bank,
        manifest=manifest.hash(),
        ciphertexts=digest(body),
        proof=digest(_PROOF),
    )
    return frame(sign(header, signer=bank, key=key).to_wire(), body, _PROOF)


def _roster(keys: list[SigningKey]) -> Roster:
    members = tuple(
        RosterMember(
            _identifier(number),
            f"Bank {number}",
            key.verify_key.text,
            SealingKey.generate().public,
        )
        for number, key in enumerate(keys, start=1)
    )
    centre = SigningKey.generate().verify_key.text
    return Roster(_identifier(0), 1, None, centre, members)


def _manifest(roster: Roster, length: int, key_bits: int) -> Manifest:
    numbers, nothing = roster.numbers, digest(b"")
    return Manifest(
        task=roster.task,
        run=_identifier(0),
        round=_identifier(0),
        number=1,
        attempt=1,
        step="update",
        purpose="benchmark",
        protocol="paillier-threshold",
        layout="k16b24",
        length=length,
        ciphertexts=ciphertexts_needed(length, _LAYOUT, key_bits),
        clip="0.1",
        weight_cap="1",
        epoch=_identifier(0),
        key_id=nothing,
        key_bits=key_bits,
        roster=roster.hash(),
        roster_version=roster.version,
        members=roster.banks,
        minimum_cohort=numbers.minimum_cohort,
        quorum=numbers.quorum,
        threshold=numbers.threshold,
        base_model=nothing,
        window="",
        seed=nothing,
        model={},
        recipe={},
        opened_at=1,
        deadline=600,
    )


def _identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"
