"""What the centre waits for from one bank: the answer when a node asks what is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from consortium.protocol.wire import Count, Digest, Identifier, Positive, Record, Seconds

DutyName = Literal[
    "sign_roster",
    "ceremony",
    "witness",
    "advertise",
    "submit",
    "sign_freeze",
    "open",
    "derive",
    "vote",
    "cosign",
    "receive",
    "give",
]


@dataclass(frozen=True)
class Duty(Record):
    """One thing the centre waits for from this bank.

    sign_roster: look at roster ``number`` of ``task``, compare fingerprints, sign.
    ceremony: run the key ceremony for roster ``number`` and publish it.
    witness: check the proposed ``epoch`` and the own share, sign.
    advertise: publish mask keys for ``round``, and shares sealed to its members.
    submit: fetch the manifest of ``round``, train or count, submit.
    sign_freeze: check the proposed list, sign.
    open: re-add the listed uploads, give a partial decryption or released shares.
    derive: combine the partials sealed to the own bank, sign the result.
    vote: test the candidate ``model`` of ``run``.
    cosign: check and sign the log head of size ``number``.
    receive: what the members agreed on in ``run`` before this bank came: ask a peer for the bytes
    whose hash is ``model``, open its box, or ask the next one.
    give: a newcomer's request for such bytes waits for this bank.

    ``until`` is when the centre goes on without this bank (Unix seconds; None: it waits).
    """

    duty: DutyName
    task: Identifier | None
    run: Identifier | None
    round: Identifier | None
    epoch: Identifier | None
    model: Digest | None
    number: Count | None
    until: Seconds | None


@dataclass(frozen=True)
class NextDuties(Record):
    """The answer of ``GET next``: duties by urgency, and when to ask again."""

    duties: tuple[Duty, ...]
    poll_after: Positive
    now: Seconds
