"""A peer's side: a member of the newest roster asks, this bank seals what it holds to that one."""

from __future__ import annotations

from django.db.models.functions import Now

from banks.models import Gift, SignalOpening
from banks.services.gifts import models, signals
from banks.services.rounds import agreement
from banks.services.rounds.node import Node
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import gifts
from consortium.protocol.envelope import Signed, digest, frame
from consortium.protocol.gifts import GiftRequest
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import seal
from consortium.protocol.wire import Json


def give(node: Node, *, task: str, subject: str) -> None:
    """Answer the newcomers that ask this bank for these bytes."""
    newest = agreement.newest_roster(node, task)
    for wire in node.centre.get("gifts"):
        signed = Signed.from_wire(wire)
        claimed = GiftRequest.from_wire(signed.body)
        if (claimed.task, claimed.subject) == (task, subject):
            _answer(node, signed, newest)


def _answer(node: Node, signed: Signed, newest: Roster) -> None:
    request = gifts.check_request(signed, me=node.identity, newest=newest)
    kind = _kind(node, request)
    held = signals if kind == Gift.Kind.SIGNAL else models
    content = frame({}, *held.held(node, request, newest))
    member = newest.member(request.bank)
    context = gifts.gift_context(request.hash(), node.identity, request.bank)
    box = seal(member.sealing_key, content, context)
    gift = gifts.Gift(
        task=request.task,
        subject=request.subject,
        request=request.hash(),
        giver=node.identity,
        recipient=request.bank,
        box=digest(box),
    )
    sent = node.sign(gift)
    answer = node.centre.post_bytes(
        f"gifts/{request.hash()}", frame(sent.to_wire(), box), purpose="gift"
    )
    receipt = Signed.from_wire(answer)
    gifts.check_receipt(receipt, gift=gift, roster=newest)
    _remember(node, kind, signed, sent.to_wire(), receipt.to_wire(), len(box), member.name)


def _kind(node: Node, request: GiftRequest) -> str:
    with bank_scope(node.bank.pk):
        summed = SignalOpening.objects.filter(task=request.task, content_sha256=request.subject)
        return Gift.Kind.SIGNAL if summed.exists() else Gift.Kind.MODEL


def _remember(
    node: Node, kind: str, asked: Signed, sent: Json, receipt: Json, size: int, name: str
) -> None:
    request = GiftRequest.from_wire(asked.body)
    with bank_scope(node.bank.pk):
        Gift.objects.update_or_create(
            bank=node.bank,
            direction=Gift.Direction.GIVEN,
            request_hash=request.hash(),
            defaults={
                "kind": kind,
                "state": Gift.State.GIVEN,
                "task": request.task,
                "run": request.run,
                "subject": request.subject,
                "peer": request.bank,
                "peer_name": name,
                "attempt": request.attempt,
                "request": asked.to_wire(),
                "signed": sent,
                "receipt": receipt,
                "size": size,
                "settled_at": Now(),
            },
        )
        audit.record(
            actor=node_actor(node.bank),
            verb="gift.given",
            target=f"run:{request.run}",
            bank=node.bank,
            subject=request.subject,
            recipient=request.bank,
        )
