"""The key ceremony: one member deals a shared key in a process that forgets it, two others witness.

The dealer's node publishes the public side and one sealed share for each bank; a witness's node
opens its own share, checks it against the published key, and signs when its administrator says
that the ceremony was held before their eyes.
"""

from __future__ import annotations

import json
import uuid

from banks.services.rounds import agreement
from banks.services.rounds.node import Node
from banks.services.rounds.protocols import protocol_named
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody
from consortium.protocol.envelope import Signed, digest
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import seal
from consortium.protocol.spec import Custodian, Epoch, ProtocolName, share_context


def hold(node: Node, *, task: str, actor: Actor) -> str:
    """Deal a key for the newest roster and publish it; returns the new epoch's id.

    Takes up to minutes where the protocol searches for primes.
    """
    roster = agreement.newest_roster(node, task)
    protocol = _protocol_of(node, task)
    dealt = protocol_named(protocol).deal(roster)
    epoch_id = str(uuid.uuid4())
    boxes = {
        member.bank: seal(
            member.sealing_key,
            json.dumps(secret).encode(),
            share_context(task, epoch_id, member.bank),
        )
        for member, secret in zip(roster.members, dealt.secrets, strict=True)
    }
    message = Epoch(
        task=task,
        epoch=epoch_id,
        roster=roster.hash(),
        roster_version=roster.version,
        protocol=protocol,
        key_id=dealt.key_id,
        key_bits=dealt.key_bits,
        public=dealt.public,
        dealer=node.identity,
        custodians=tuple(
            Custodian(bank=bank, index=index, share=digest(box))
            for index, (bank, box) in enumerate(boxes.items(), start=1)
        ),
    )
    node.centre.post(
        f"tasks/{task}/epochs",
        {
            "epoch": node.sign(message).to_wire(),
            "biprimality": dealt.proof.hex(),
            "shares": {bank: box.hex() for bank, box in boxes.items()},
        },
        purpose="key ceremony",
    )
    _record(node, actor, "ceremony.held", message)
    return epoch_id


def witness(node: Node, *, epoch_id: str, actor: Actor) -> None:
    """Check the own share of a proposed key, keep it, and sign that the ceremony was witnessed."""
    wire = node.centre.get(f"epochs/{epoch_id}")
    signed = [Signed.from_wire(item) for item in wire["signatures"]]
    proposed = Epoch.from_wire(signed[0].body)
    roster = _roster_of(node, proposed)
    custody.check_epoch_proposal(proposed, signed[0], roster=roster)
    agreement.accept_share(node, proposed)
    node.centre.post(
        f"epochs/{epoch_id}/signature", node.sign(proposed).to_wire(), purpose="key ceremony"
    )
    _record(node, actor, "ceremony.witnessed", proposed)


def _protocol_of(node: Node, task: str) -> ProtocolName:
    """The protocol that a task's sums are closed by; the members agree to it with its key."""
    named = next((row for row in node.centre.get("tasks") if row["task"] == task), None)
    if named is None:
        raise ProtocolRefused(
            "no_task", gettext_noop("The coordinator has no such task for this bank.")
        )
    protocol: ProtocolName = named["protocol"]
    return protocol


def _roster_of(node: Node, proposed: Epoch) -> Roster:
    found = agreement.rosters(node, proposed.task).get(proposed.roster)
    if found is None:
        raise ProtocolRefused("bad_epoch", gettext_noop("The key was made for another roster."))
    return found


def _record(node: Node, actor: Actor, verb: str, epoch: Epoch) -> None:
    with bank_scope(node.bank.pk):
        audit.record(
            actor=actor,
            verb=verb,
            target=f"epoch:{epoch.epoch}",
            bank=node.bank,
            key_id=epoch.key_id,
            roster_version=epoch.roster_version,
        )
