"""What the operator should do next: one thing, found by walking from invitation to curve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from aggregation.models import KeyEpoch, TrainingRun
from aggregation.selectors.agreements import Agreement
from aggregation.selectors.members import Member
from consortium.accounts.models import Bank
from consortium.protocol.roster import SMALLEST_CONSORTIUM

Code = Literal[
    "invite_banks",
    "await_banks",
    "make_task",
    "propose_roster",
    "await_roster",
    "replace_members",
    "await_ceremony",
    "await_witnesses",
    "failed_run",
    "admit_banks",
    "first_run",
    "await_run",
    "nothing",
]


@dataclass(frozen=True)
class NextStep:
    """``code`` is worded in templates/aggregation/next_step.html."""

    code: Code
    agreement: Agreement | None = None
    banks: list[Bank] = field(default_factory=list)
    needed: int = 0


def next_step(members: list[Member], agreements: list[Agreement]) -> NextStep:
    """The most urgent thing; waiting for banks comes after what the operator can do."""
    joined = [member for member in members if member.bank.status in {"joined", "active"}]
    missing = SMALLEST_CONSORTIUM - len(joined)
    invited = [member.bank for member in members if member.bank.status == Bank.Status.INVITED]
    if missing > len(invited):
        return NextStep("invite_banks", needed=missing - len(invited))
    if missing > 0:
        return NextStep("await_banks", banks=invited, needed=missing)
    if not agreements:
        return NextStep("make_task")
    steps = [_of_task(agreement) for agreement in agreements]
    return min(steps, key=lambda step: _URGENCY[step.code])


def _of_task(agreement: Agreement) -> NextStep:
    active, proposed, key = agreement.active, agreement.proposed, agreement.key
    if proposed:
        banks = proposed.unsigned
        return NextStep("await_roster", agreement, banks, needed=proposed.still_needed)
    if active is None:
        return NextStep("propose_roster", agreement, agreement.joined_since)
    if active.unable:
        return NextStep("replace_members", agreement, active.unable)
    if key is None:
        return NextStep("await_ceremony", agreement, active.members)
    if key.row.state != KeyEpoch.State.ACTIVE:
        return NextStep("await_witnesses", agreement, key.unsigned, needed=key.still_needed)
    if agreement.running:
        return NextStep("await_run", agreement)
    if agreement.latest and agreement.latest.state == TrainingRun.State.FAILED:
        return NextStep("failed_run", agreement)
    if agreement.joined_since:
        return NextStep("admit_banks", agreement, agreement.joined_since)
    if agreement.latest is None:
        return NextStep("first_run", agreement)
    return NextStep("nothing", agreement)


_URGENCY = {
    code: place
    for place, code in enumerate(
        (
            "failed_run",
            "replace_members",
            "propose_roster",
            "first_run",
            "admit_banks",
            "await_roster",
            "await_ceremony",
            "await_witnesses",
            "await_run",
            "nothing",
        )
    )
}
