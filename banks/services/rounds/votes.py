"""Who agreed to what: members by their rosters, models by the votes under each candidate.

Votes are fetched from the coordinator and believed only for their signatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from banks.models import RoundPart, TrustedRoster
from banks.services.rounds.node import Node
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.envelope import Signed, VerifyKey, verify
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.roster import Roster, SignedRoster
from consortium.protocol.spec import ModelVote

NEWEST_RUNS = 50


@dataclass(frozen=True)
class RosterVoted:
    """A version of a task's members with who signed it; ``came`` and ``left`` against the last."""

    task: str
    version: int
    at: datetime
    signed: tuple[str, ...]
    came: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class ModelVoted:
    """A candidate with the verdict of each bank whose signature holds."""

    task: str
    run: str
    model: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]


def on_members(node: Node) -> list[RosterVoted]:
    """Newest first; from this bank's own memory."""
    found: list[RosterVoted] = []
    before: dict[str, Roster] = {}
    for row in _trusted(node):
        signed = SignedRoster.from_wire(row.signed)
        last, roster = before.get(roster_task := str(row.task)), signed.roster
        names = _names(filter(None, (last, roster)))
        known = set(last.banks) if last else set()
        found.append(
            RosterVoted(
                task=roster_task,
                version=roster.version,
                at=row.trusted_at,
                signed=tuple(sorted(names.get(one.signer, "?") for one in signed.signatures)),
                came=tuple(names[bank] for bank in roster.banks if bank not in known),
                left=tuple(names[bank] for bank in sorted(known - set(roster.banks))),
            )
        )
        before[roster_task] = roster
    return found[::-1]


def on_models(node: Node) -> list[tuple[ModelVoted, list[Signed]]]:
    """The candidates of this bank's newest runs, with the votes as they were signed."""
    rosters = [SignedRoster.from_wire(row.signed).roster for row in _trusted(node)]
    names = _names(rosters)
    found = []
    for run in _runs(node):
        votes = [Signed.from_wire(wire) for wire in node.centre.get(f"runs/{run}/vote")]
        said = [(signed, vote) for signed in votes if (vote := _vote(signed, rosters))]
        if not said:
            continue
        first = said[0][1]
        voted = ModelVoted(
            task=first.task,
            run=run,
            model=first.model,
            accepted=tuple(sorted(names[vote.bank] for _signed, vote in said if vote.accept)),
            refused=tuple(sorted(names[vote.bank] for _signed, vote in said if not vote.accept)),
        )
        found.append((voted, [signed for signed, _vote in said]))
    return found


def _vote(signed: Signed, rosters: list[Roster]) -> ModelVote | None:
    """The vote, if a key verifies it that a roster names for its signer."""
    members = (member for roster in rosters for member in roster.members)
    for key in {one.signing_key for one in members if one.bank == signed.signer}:
        try:
            vote = verify(signed, ModelVote, VerifyKey(key))
        except ProtocolRefused:
            continue
        return vote if vote.bank == signed.signer else None
    return None


def _trusted(node: Node) -> list[TrustedRoster]:
    with bank_scope(node.bank.pk):
        return list(TrustedRoster.objects.filter(bank=node.bank).order_by("trusted_at", "version"))


def _runs(node: Node) -> list[str]:
    with bank_scope(node.bank.pk):
        parts = RoundPart.objects.filter(bank=node.bank).order_by("-created_at")
        rows = list(parts.values_list("consortium_run", flat=True))
    return list(dict.fromkeys(map(str, rows)))[:NEWEST_RUNS]


def _names(rosters: Iterable[Roster]) -> dict[str, str]:
    return {member.bank: member.name for roster in rosters for member in roster.members}
