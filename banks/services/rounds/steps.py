"""One step of the protocol: ask the coordinator what is next, do it, say when to ask again.

A chain of short steps holds a lease; a chain that was thought dead and wakes finds its token
outdated and ends. Nothing is lost when a step fails: the coordinator asks again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from banks.coordinator import Unreachable
from banks.models import ProtocolLease, RoundPart
from banks.services.gifts import asking, giving
from banks.services.gifts import models as given_models
from banks.services.rounds import (
    advertising,
    agreement,
    contribution,
    custody,
    destroying,
    ledger,
    opening,
    outcome,
)
from banks.services.rounds.node import Node
from consortium.accounts.actors import node as node_actor
from consortium.accounts.models import Bank, Notification, Role
from consortium.accounts.services.notifications import notify
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.duties import Duty, NextDuties
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.wire import Json

Kind = Notification.Kind
LEASE = timedelta(seconds=90)
IDLE_SECONDS = 10
log = structlog.get_logger(__name__)


@dataclass
class Step:
    """What a step leaves to its caller: work for the train queue, and when to step again.

    ``to_train`` are parts without an upload, ``to_adopt`` runs whose model was published,
    ``to_install`` models that a peer gave, ``to_vote`` (task, run, model) of candidates to test.
    """

    again_after: int | None = None
    to_train: list[int] = field(default_factory=list)
    to_adopt: list[str] = field(default_factory=list)
    to_install: list[int] = field(default_factory=list)
    to_vote: list[tuple[str, str, str]] = field(default_factory=list)


def begin(bank: Bank, token: int | None) -> int | None:
    """Take the lease (``token`` None) or renew it; None when another chain of steps holds it."""
    with bank_scope(bank.pk):
        ProtocolLease.objects.get_or_create(bank=bank)
        if token is None:
            free = ProtocolLease.objects.filter(bank=bank, until__lt=Now())
            taken = free.update(token=F("token") + 1, until=Now() + LEASE)
        else:
            held = ProtocolLease.objects.filter(bank=bank, token=token)
            taken = held.update(until=Now() + LEASE)
        if not taken:
            return None
        return ProtocolLease.objects.values_list("token", flat=True).get(bank=bank)


def end(bank: Bank, token: int) -> None:
    """Give the lease back: the metronome starts the next chain."""
    with bank_scope(bank.pk):
        ProtocolLease.objects.filter(bank=bank, token=token).update(until=Now())


def take(bank: Bank) -> Step:
    """Do what the coordinator waits for from this bank."""
    node = Node(bank)
    try:
        asked = NextDuties.from_wire(node.centre.get(f"next?version={settings.VERSION}"))
    except Unreachable as trouble:
        _note(bank, error=str(trouble))
        return Step()
    except Refused as refused:  # suspended or removed: its people read it, the next beat asks again
        _note(bank, error=_as_text(refused))
        return Step()
    step = Step(again_after=asked.poll_after if asked.duties else None)
    error = ""
    for duty in asked.duties:
        try:
            DUTIES[duty.duty](node, duty, step)
        except Unreachable as trouble:
            error = str(trouble)
        except Refused as refused:
            error = _as_text(refused)
            log.warning("duty_refused", duty=duty.duty, code=refused.code, round=duty.round)
    node.book_traffic()
    step.to_train = contribution.waiting_for_training(node)
    step.to_install = given_models.waiting_to_install(node)
    try:
        step.to_adopt = outcome.settled_runs(node)
        if not asked.duties:
            agreement.follow_rosters(node)
    except Unreachable as trouble:
        error = str(trouble)
    except Refused as refused:
        error = _as_text(refused)
    _note(bank, error=error, for_people=_people_duties(asked))
    if step.again_after is None and outcome.in_a_run(node):
        step.again_after = asked.poll_after
    return step


def _note(bank: Bank, *, error: str, for_people: list[Json] | None = None) -> None:
    """What the pages say about the line to the coordinator."""
    heard = {} if for_people is None else {"last_contact_at": Now(), "for_people": for_people}
    with bank_scope(bank.pk):
        _tell_people(bank, for_people or [])
        ProtocolLease.objects.filter(bank=bank).update(last_error=error, **heard)


def _tell_people(bank: Bank, duties: list[Json]) -> None:
    """Tell the administrators of what only they can do, once for each duty."""
    known = ProtocolLease.objects.filter(bank=bank).values_list("for_people", flat=True).first()
    for duty in duties:
        if duty not in (known or []):
            notify(
                kind=Kind.MEMBER if duty["duty"] == "sign_roster" else Kind.KEY,
                verb=f"duty.{duty['duty']}",
                bank=bank,
                roles=(Role.BANK_ADMIN,),
                page="banks:membership",
                facts={"by": node_actor(bank).label},
            )


def _as_text(refused: Refused) -> str:
    """A refusal so that it can be said in any reader's language later."""
    params = {name: str(value) for name, value in refused.params.items()}
    return json.dumps({"code": refused.code, "sentence": refused.sentence, "params": params})


def _people_duties(asked: NextDuties) -> list[Json]:
    return [duty.to_wire() for duty in asked.duties if DUTIES[duty.duty] is _for_people]


def _submit(node: Node, duty: Duty, step: Step) -> None:
    part = contribution.take_part(node, _round(duty), until=duty.until)
    if part.stage == RoundPart.Stage.READY:
        contribution.submit(node, part)


def _advertise(node: Node, duty: Duty, step: Step) -> None:
    advertising.advertise(node, _round(duty))


def _sign_freeze(node: Node, duty: Duty, step: Step) -> None:
    custody.sign_freeze(node, contribution.known_part(node, _round(duty)))
    destroying.destroy_mask_keys(node, _round(duty))


def _open(node: Node, duty: Duty, step: Step) -> None:
    opening.open_sum(node, contribution.known_part(node, _round(duty)))


def _derive(node: Node, duty: Duty, step: Step) -> None:
    outcome.derive(node, contribution.known_part(node, _round(duty)))


def _vote(node: Node, duty: Duty, step: Step) -> None:
    if outcome.claim_vote(node, str(duty.run)):
        step.to_vote.append((str(duty.task), str(duty.run), str(duty.model)))


def _cosign(node: Node, duty: Duty, step: Step) -> None:
    if ledger.knows_coordinator(node):
        ledger.cosign_head(node)


def _receive(node: Node, duty: Duty, step: Step) -> None:
    asking.receive(node, task=str(duty.task), run=str(duty.run))


def _give(node: Node, duty: Duty, step: Step) -> None:
    giving.give(node, task=str(duty.task), subject=str(duty.model))


def _for_people(node: Node, duty: Duty, step: Step) -> None:
    """Signing a roster, dealing a key and witnessing it are for people: pages show them."""


def _round(duty: Duty) -> str:
    if duty.round is None:
        raise Refused(
            "malformed_duty", gettext_noop("The coordinator names a duty without its round.")
        )
    return duty.round


DUTIES: dict[str, Callable[[Node, Duty, Step], None]] = {
    "sign_roster": _for_people,
    "ceremony": _for_people,
    "witness": _for_people,
    "advertise": _advertise,
    "submit": _submit,
    "sign_freeze": _sign_freeze,
    "open": _open,
    "derive": _derive,
    "vote": _vote,
    "cosign": _cosign,
    "receive": _receive,
    "give": _give,
}
