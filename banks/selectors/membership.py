"""What a bank's people see of the consortium: members, keys, what waits for their signature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from banks import keys
from banks.models import ProtocolLease, TrustedRoster
from banks.services.rounds.node import Node
from consortium.accounts.access import translated
from consortium.accounts.models import Bank
from consortium.protocol.check_number import check_number
from consortium.protocol.envelope import fingerprint
from consortium.protocol.errors import Refused
from consortium.protocol.roster import Roster, RosterMember


@dataclass(frozen=True)
class Member:
    """A bank of a roster with the fingerprints that people compare."""

    name: str
    bank: str
    signing: str
    sealing: str
    number: str = ""  # of both keys, to be read out
    change: str = ""  # "new", "leaves" or nothing

    @classmethod
    def of(cls, member: RosterMember, change: str = "") -> Member:
        return cls(
            member.name,
            member.bank,
            fingerprint(member.signing_key),
            fingerprint(member.sealing_key),
            check_number(
                bank=member.bank, signing_key=member.signing_key, sealing_key=member.sealing_key
            ),
            change,
        )


@dataclass(frozen=True)
class Agreement:
    """A task's newest trusted roster, and the version that waits for this bank's signature."""

    task: str
    version: int
    members: list[Member]
    coordinator: str


@dataclass(frozen=True)
class Proposal:
    """A roster this bank is asked to sign: who is in it, who is new, who leaves."""

    task: str
    version: int
    members: list[Member]
    coordinator: str


def line(bank: Bank) -> ProtocolLease | None:
    """The state of the line to the coordinator; needs the bank's scope."""
    return ProtocolLease.objects.filter(bank=bank).first()


def trouble(line: ProtocolLease) -> str:
    """The line's last trouble: a refusal in the reader's language, the network's in its own."""
    try:
        said = json.loads(line.last_error)
    except ValueError:
        return line.last_error
    params = {name: gettext(text) for name, text in said["params"].items()}
    return translated(Refused(said["code"], said["sentence"], **params))


def own_fingerprints(bank: Bank) -> dict[str, str] | None:
    """This bank's own keys as its people read them out; None before it has joined."""
    try:
        signing, sealing = keys.signing(bank.slug), keys.sealing(bank.slug)
    except Refused:
        return None
    return {
        "signing": signing.verify_key.fingerprint,
        "sealing": fingerprint(sealing.public),
    }


def agreements(bank: Bank) -> list[Agreement]:
    """The newest roster of every task this bank takes part in; needs the bank's scope."""
    newest: dict[str, Roster] = {}
    for row in TrustedRoster.objects.filter(bank=bank).order_by("version"):
        newest[str(row.task)] = Roster.from_wire(row.signed["roster"])
    return [
        Agreement(
            task,
            roster.version,
            [Member.of(member) for member in roster.members],
            fingerprint(roster.coordinator_key),
        )
        for task, roster in newest.items()
    ]


def proposal(node: Node, duty: dict[str, Any]) -> Proposal:
    """The roster that waits for this bank, fetched from the coordinator."""
    task, version = duty["task"], duty["number"]
    proposed = Roster.from_wire(node.centre.get(f"tasks/{task}/roster/{version}"))
    before = TrustedRoster.objects.filter(task=task).order_by("-version").first()
    known = Roster.from_wire(before.signed["roster"]).banks if before else ()
    leaving = (
        [
            Member.of(member, "leaves")
            for member in Roster.from_wire(before.signed["roster"]).members
            if member.bank not in proposed.banks
        ]
        if before
        else []
    )
    members = [
        Member.of(member, "" if member.bank in known else "new") for member in proposed.members
    ]
    return Proposal(task, version, members + leaving, fingerprint(proposed.coordinator_key))
