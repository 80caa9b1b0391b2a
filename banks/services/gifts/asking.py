"""A newcomer's side: check what the members signed, ask one peer, open its box or ask the next.

The order of peers follows from a hash, so neither the centre nor a bank chooses who gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from banks.models import Gift
from banks.services.gifts import models, signals
from banks.services.rounds import agreement
from banks.services.rounds.node import Node
from banks.services.signal import consent
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import gifts
from consortium.protocol.envelope import Signed, unframe
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.gifts import GiftRequest, GiftVerdict, Offer
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import unseal
from consortium.protocol.spec import RISK_SIGNAL, Manifest

State = Gift.State
PATIENCE = timedelta(seconds=gifts.PATIENCE_SECONDS)
FRAME_ALLOWANCE = 64 * 1024


@dataclass(frozen=True)
class Offered:
    """An offer whose every signature was checked, and the members of today."""

    offer: Offer
    manifest: Manifest
    newest: Roster

    @property
    def kind(self) -> str:
        signal = self.manifest.purpose == RISK_SIGNAL
        return Gift.Kind.SIGNAL if signal else Gift.Kind.MODEL


def receive(node: Node, *, task: str, run: str) -> None:
    """Go one step on towards the bytes that the members agreed on in ``run``."""
    offered = _offered(node, task=task, run=run)
    rows = _asked(node, offered.offer.subject)
    if not rows:
        _ask_next(node, offered, rows, attempt=1)
    elif rows[0].state == State.ASKED:
        _go_on(node, offered, rows)


def ask_again(*, node: Node, actor: Actor, gift: Gift) -> None:
    """A person asks all peers once more, after none of them could give what was asked for."""
    rows = _asked(node, gift.subject)
    if not rows or rows[0].pk != gift.pk or gift.state not in (State.SILENT, State.REFUSED):
        raise Refused(
            "nothing_to_ask", gettext_noop("There is nothing to ask for again at the moment.")
        )
    offered = _offered(node, task=str(gift.task), run=str(gift.run))
    _ask_next(node, offered, rows, attempt=gift.attempt + 1)
    with bank_scope(node.bank.pk):
        audit.record(actor=actor, verb="gift.asked_again", target=f"run:{gift.run}", bank=node.bank)


def _offered(node: Node, *, task: str, run: str) -> Offered:
    offer = Offer.from_wire(node.centre.get(f"runs/{run}/offer"))
    if (offer.task, offer.run) != (task, run):
        raise ProtocolRefused(
            "bad_offer", gettext_noop("The coordinator answered with the offer of another run.")
        )
    roster = agreement.roster(node, Manifest.from_wire(offer.manifest.body))
    manifest = gifts.check_offer(offer, roster=roster)
    if manifest.purpose not in agreement.PURPOSES:
        raise ProtocolRefused(
            "bad_offer", gettext_noop("This bank did not agree to the offer's purpose.")
        )
    if manifest.purpose == RISK_SIGNAL:
        consent.require(node.bank, manifest)
    return Offered(offer, manifest, agreement.newest_roster(node, task))


def _asked(node: Node, subject: str) -> list[Gift]:
    """This bank's requests for these bytes, newest first."""
    with bank_scope(node.bank.pk):
        rows = Gift.objects.filter(direction=Gift.Direction.RECEIVED, subject=subject)
        return list(rows.defer("content"))


def _ask_next(node: Node, offered: Offered, rows: list[Gift], *, attempt: int) -> None:
    """Ask the first peer that was not asked in this attempt; nobody where none is left."""
    offer, newest = offered.offer, offered.newest
    tried = {str(row.peer) for row in rows if row.attempt == attempt}
    order = gifts.peers_in_order(offer, newest, node.identity)
    peer = next((bank for bank in order if bank not in tried), None)
    if peer is None:
        return
    request = GiftRequest(
        task=offer.task,
        run=offer.run,
        subject=offer.subject,
        bank=node.identity,
        peer=peer,
        roster=newest.hash(),
        attempt=attempt,
    )
    signed = node.sign(request).to_wire()
    with bank_scope(node.bank.pk):
        Gift.objects.create(
            bank=node.bank,
            direction=Gift.Direction.RECEIVED,
            kind=offered.kind,
            state=State.ASKED,
            task=offer.task,
            run=offer.run,
            subject=offer.subject,
            peer=peer,
            peer_name=newest.member(peer).name,
            attempt=attempt,
            request=signed,
            request_hash=request.hash(),
            offer=offer.to_wire(),
        )
        audit.record(
            actor=node_actor(node.bank),
            verb="gift.asked",
            target=f"run:{offer.run}",
            bank=node.bank,
            subject=offer.subject,
            peer=peer,
        )
    node.centre.post("gifts", signed, purpose="gift request")


def _go_on(node: Node, offered: Offered, rows: list[Gift]) -> None:
    row = rows[0]
    try:
        body = node.centre.get_bytes(f"gifts/{row.request_hash}")
    except Refused as refused:
        if refused.code != "not_found":
            raise
        node.centre.post("gifts", row.request, purpose="gift request")  # it was lost on the way
        return
    if body:
        _open(node, offered, rows, body)
    elif row.asked_at <= timezone.now() - PATIENCE:
        silence = Refused(
            "peer_silent", gettext_noop("%(peer)s did not answer in time."), peer=row.peer_name
        )
        _give_up(node, offered, rows, State.SILENT, silence)


def _open(node: Node, offered: Offered, rows: list[Gift], body: bytes) -> None:
    """Take what the peer sealed to this bank, if it is what the members signed."""
    row = rows[0]
    try:
        signed, blobs = _opened(node, offered.newest, row, body)
        took = _taker(row).take(node, row, offered.offer, offered.manifest, blobs)
    except ProtocolRefused as fault:
        _give_up(node, offered, rows, State.REFUSED, fault)
        return
    with bank_scope(node.bank.pk):
        Gift.objects.filter(pk=row.pk, state=State.ASKED).update(
            signed=signed.to_wire(), size=len(blobs[0]), settled_at=Now(), **took
        )
        audit.record(
            actor=node_actor(node.bank),
            verb="gift.received",
            target=f"run:{row.run}",
            bank=node.bank,
            subject=row.subject,
            peer=str(row.peer),
        )
    _judge(node, row, accept=True, reason="")


def _opened(node: Node, newest: Roster, row: Gift, body: bytes) -> tuple[Signed, tuple[bytes, ...]]:
    """The peer's signature and the parts of the box; a fault names who made it."""
    request = GiftRequest.from_wire(row.request["body"])
    head, (box,) = unframe(body, gifts.LARGEST_BOX + FRAME_ALLOWANCE)
    signed = Signed.from_wire(head)
    gifts.check_gift(signed, box, request=request, newest=newest)
    context = gifts.gift_context(request.hash(), request.peer, request.bank)
    try:
        _head, blobs = unframe(unseal(node.sealing_key, box, context), gifts.LARGEST_GIFT)
        gifts.check_bytes(blobs[0] if blobs else b"", request=request)
    except ProtocolRefused:
        raise gifts.wrong_bytes(request.peer) from None
    return signed, blobs


def _taker(row: Gift) -> Any:
    return signals if row.kind == Gift.Kind.SIGNAL else models


def _give_up(node: Node, offered: Offered, rows: list[Gift], state: str, fault: Refused) -> None:
    """Write down who failed and how, ask the next peer, and tell the centre."""
    row = rows[0]
    params = {**fault.params, "peer": row.peer_name}
    said = {"code": fault.code, "sentence": fault.sentence, "params": params}
    with bank_scope(node.bank.pk):
        Gift.objects.filter(pk=row.pk, state=State.ASKED).update(
            state=state, fault=said, settled_at=Now()
        )
        audit.record(
            actor=node_actor(node.bank),
            verb="gift.silent" if state == State.SILENT else "gift.refused",
            target=f"run:{row.run}",
            bank=node.bank,
            subject=row.subject,
            peer=str(row.peer),
            reason=fault.code,
        )
    _ask_next(node, offered, rows, attempt=row.attempt)
    _judge(node, row, accept=False, reason=fault.code)


def _judge(node: Node, row: Gift, *, accept: bool, reason: str) -> None:
    verdict = GiftVerdict(
        task=str(row.task),
        subject=row.subject,
        request=row.request_hash,
        bank=node.identity,
        peer=str(row.peer),
        accept=accept,
        reason=reason,
    )
    node.centre.post(
        f"gifts/{row.request_hash}/verdict", node.sign(verdict).to_wire(), purpose="gift verdict"
    )
