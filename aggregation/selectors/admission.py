"""How far one bank has come from its invitation to its first round, and what leaving would mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aggregation.models import KeyComparison, KeyEpoch, Round, Task
from aggregation.selectors.agreements import Agreement, KeyStanding, RosterStanding
from aggregation.selectors.members import Member
from aggregation.services.comparing import number_of
from aggregation.services.rounds import LIVE, manifest_of
from consortium.accounts.models import Bank, User
from consortium.protocol.roster import SMALLEST_CONSORTIUM, Numbers
from consortium.steps import Found, Step, path


@dataclass(frozen=True)
class Admission:
    """The steps of one bank, and what the page needs for the one to do.

    ``joins`` are the tasks whose members could be asked for this bank now, with today's members.
    ``compared`` are the operators who have heard the number of its present keys.
    """

    steps: list[Step]
    joins: list[Agreement]
    compared: list[KeyComparison]
    may_compare: bool
    may_propose: bool

    @property
    def complete(self) -> bool:
        return all(step.state == "done" for step in self.steps)


@dataclass(frozen=True)
class Leaving:
    """What suspending or removing a bank does to one task."""

    task: Task
    live_round: Round | None
    left: int
    numbers: Numbers | None  # what the others' number would mean; None: too few to go on


def admission(member: Member, looks: User, found: list[Agreement]) -> Admission:
    """The path of one bank through all agreements, as this operator or auditor sees it."""
    bank = member.bank
    compared = list(bank.comparisons.filter(number=number_of(bank)).select_related("by"))
    mine, others = (
        [one for one in compared if (one.by == looks) is same] for same in (True, False)
    )
    inside = [one for one in found if one.active and bank in one.active.members]
    proposed = [one for one in found if one.proposed and bank in one.proposed.members]
    joins = [one for one in found if one not in inside and one not in proposed and one.active]
    return Admission(
        steps=path(_steps(member, compared, others, inside, proposed)),
        joins=[one for one in joins if one.proposed is None],
        compared=compared,
        may_compare=not mine,
        may_propose=bool(others),
    )


def leaving(bank: Bank, found: list[Agreement]) -> list[Leaving]:
    """For each task whose members include the bank: the round it is in, and who would be left."""
    return [
        Leaving(
            task=one.task,
            live_round=_live_round(one, bank),
            left=(left := len(one.active.members) - 1),
            numbers=Numbers.of(left) if left >= SMALLEST_CONSORTIUM else None,
        )
        for one in found
        if one.active and bank in one.active.members
    ]


def _live_round(agreement: Agreement, bank: Bank) -> Round | None:
    if agreement.running is None:
        return None
    rounds = agreement.running.rounds.filter(state__in=LIVE).defer("aggregate")
    return next((one for one in rounds if str(bank.pk) in manifest_of(one).members), None)


def _steps(
    member: Member,
    compared: list[KeyComparison],
    others: list[KeyComparison],
    inside: list[Agreement],
    proposed: list[Agreement],
) -> Iterable[Found]:
    bank, invitation = member.bank, member.invitation
    joined = bool(bank.signing_key)
    expired = bool(invitation and not joined and invitation.expires_at <= timezone.now())
    yield Found(
        "invited",
        _("Invite the bank"),
        done=joined or bool(invitation and not expired),
        at=bank.created_at,
    )
    yield Found(
        "joined",
        _("The bank makes its keys and accepts"),
        done=joined,
        ours=False,
        ready=not expired,
        at=invitation.accepted_at if invitation else None,
        awaits=() if joined else (bank.display_name,),
    )
    founder = any(one.active and one.active.row.version == 1 for one in inside)
    yield Found(
        "compared",
        _("Compare its number by voice"),
        done=bool(compared) or bool(inside) or bool(proposed),
        ready=joined,
        at=compared[0].at if compared else None,
        by="" if founder and not compared else ", ".join(str(one.by) for one in compared),
    )
    rosters = [one.active for one in inside if one.active]
    rosters += [one.proposed for one in proposed if one.proposed]
    yield Found(
        "proposed",
        _("A second operator proposes it to the members"),
        done=bool(rosters),
        ours=bool(others),
        ready=bool(compared),
        at=min((one.row.proposed_at for one in rosters), default=None),
        awaits=() if rosters or others else (str(_("another operator")),),
    )
    yield _signed(inside, proposed)
    yield _key(inside)
    yield Found(
        "takes_part",
        _("It takes part from the next run on"),
        done=_has_taken_part(bank),
        ours=False,
        ready=any(_key_is_active(one) for one in inside),
        at=min((one.task.next_run_at for one in inside if one.task.next_run_at), default=None),
    )


def _signed(inside: list[Agreement], proposed: list[Agreement]) -> Found:
    waiting: list[RosterStanding] = [one.proposed for one in proposed if one.proposed]
    active: list[RosterStanding] = [one.active for one in inside if one.active]
    unsigned = {bank.display_name for one in waiting for bank in one.unsigned}
    signed = {bank.display_name for one in active or waiting for bank in one.signed}
    return Found(
        "signed",
        _("The members compare and sign"),
        done=bool(active),
        ours=False,
        ready=bool(active or waiting),
        at=min((one.row.active_at for one in active if one.row.active_at), default=None),
        by=", ".join(sorted(signed)),
        awaits=() if active else tuple(sorted(unsigned)),
    )


def _key(inside: list[Agreement]) -> Found:
    done = any(_key_is_active(one) for one in inside)
    keys: list[KeyStanding] = [one.key for one in inside if one.key]
    awaited = {bank.display_name for one in keys for bank in one.unsigned}
    if not keys:
        awaited = {bank.display_name for one in inside if one.active for bank in one.active.members}
    return Found(
        "key",
        _("The members make the shared key"),
        done=done,
        ours=False,
        ready=bool(inside),
        at=min((one.row.active_at for one in keys if one.row.active_at), default=None),
        awaits=() if done else tuple(sorted(awaited)),
    )


def _key_is_active(agreement: Agreement) -> bool:
    return bool(agreement.key and agreement.key.row.state == KeyEpoch.State.ACTIVE)


def _has_taken_part(bank: Bank) -> bool:
    return Round.objects.filter(state=Round.State.OPENED, submissions__bank=bank).exists()
