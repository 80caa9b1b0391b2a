"""What a bank's people see of the cross-bank signal: terms, votes, age, and its worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from banks.ml.risk_signal import Terms
from banks.models import Alert, SignalConsent, SignalOpening, SignalPrice, TrustedRoster
from banks.services.rounds.node import Node
from banks.services.scorers import scorer_of
from banks.services.signal import consent, openings
from consortium.accounts.models import Bank
from consortium.protocol import spec
from consortium.protocol.envelope import Signed, verify
from consortium.protocol.errors import Refused
from consortium.protocol.roster import Roster

SHOWN = 30
FRAUDS = "counterparty_frauds_7d"


@dataclass(frozen=True)
class Vote:
    """A member's word on the terms: True, False, or None where it has said nothing."""

    bank: str
    accept: bool | None
    is_us: bool


@dataclass(frozen=True)
class Agreement:
    """A task that sums the signal, its terms, and what the members say of them."""

    task: str
    name: str
    terms: Terms
    terms_hash: str
    votes: list[Vote]
    ours: bool | None

    @property
    def accepted(self) -> int:
        return sum(vote.accept is True for vote in self.votes)


@dataclass(frozen=True)
class Standing:
    """How far the signal reaches at this bank; ``until`` is the last day that was told."""

    newest: SignalOpening | None
    until: date | None
    age_days: int | None
    openings: list[SignalOpening]
    price: SignalPrice | None
    agreements: list[Agreement] = field(default_factory=list)

    @property
    def terms(self) -> Terms | None:
        return Terms.from_json(self.newest.terms) if self.newest else None


def standing(bank: Bank) -> Standing:
    """What the bank's own database knows; needs the bank's scope."""
    newest = openings.newest(bank)
    until = newest.last_day if newest else None
    return Standing(
        newest=newest,
        until=until,
        age_days=_age(newest) if newest else None,
        openings=list(SignalOpening.objects.filter(bank=bank).defer("content")[:SHOWN]),
        price=SignalPrice.objects.filter(bank=bank).first(),
    )


def agreements(bank: Bank) -> list[Agreement]:
    """The tasks that sum the signal, as the coordinator has them and the members signed them.

    Raises Unreachable; votes whose signature does not hold count for nothing.
    """
    node = Node(bank)
    rows = [row for row in node.centre.get("tasks") if row["purpose"] == spec.RISK_SIGNAL]
    return [_agreement(node, row) for row in rows]


def seen_by_members(alert: Alert) -> dict[str, Any] | None:
    """What the members' sums say of an alert's counterparty; None for models of the own view.

    Needs the bank's scope.
    """
    if not alert.version.feature_plan.get("joint"):
        return None
    newest = openings.newest(alert.bank)
    if newest is None:
        return None
    values = dict(zip(scorer_of(alert.version).features, alert.features, strict=False))
    frauds = values.get(FRAUDS)
    return {
        "frauds": None if frauds is None else round(frauds),
        "until": newest.last_day,
        "banks": newest.banks,
    }


def _age(newest: SignalOpening) -> int:
    """Full days since the newest summed day ended; 0 is as new as it gets."""
    today = timezone.now().astimezone(ZoneInfo(newest.terms["zone"])).date()
    return (today - newest.end_day).days


def _agreement(node: Node, row: dict[str, Any]) -> Agreement:
    wire = node.centre.get(f"tasks/{row['task']}/terms")
    terms = consent.terms_in(wire["recipe"])
    words = {}
    roster = _roster(row["task"])
    for item in wire["votes"]:
        try:
            signed = Signed.from_wire(item)
            key = roster.verify_key(signed.signer) if roster else None
            word = verify(signed, spec.TermsVote, key) if key else None
        except Refused:
            continue
        if word and (word.task, word.terms) == (row["task"], consent.hash_of(terms)):
            words[word.bank] = word.accept
    own = SignalConsent.objects.filter(task=row["task"], terms_hash=consent.hash_of(terms)).first()
    return Agreement(
        task=row["task"],
        name=row["name"],
        terms=terms,
        terms_hash=consent.hash_of(terms),
        votes=[
            Vote(member.name, words.get(member.bank), member.bank == node.identity)
            for member in (roster.members if roster else ())
        ],
        ours=own.accepted if own else None,
    )


def _roster(task: str) -> Roster | None:
    newest = TrustedRoster.objects.filter(task=task).order_by("-version").first()
    return Roster.from_wire(newest.signed["roster"]) if newest else None
