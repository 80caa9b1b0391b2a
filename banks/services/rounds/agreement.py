"""Whom and what this bank trusts: rosters its members signed, keys made before witnesses.

Everything comes from the coordinator and is believed only for its signatures; what was accepted
once is remembered, so a changed past is refused.
"""

from __future__ import annotations

import json
import time
import uuid

from banks import keys
from banks.models import ProtocolAct, TrustedRoster
from banks.services.rounds.node import Node
from banks.services.rounds.protocols import Terms, protocol_named
from banks.services.rounds.protocols.interface import share_lost
from consortium.accounts import audit
from consortium.accounts.actors import Actor
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody
from consortium.protocol.envelope import Signed, digest
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.roster import Roster, SignedRoster, sign_roster
from consortium.protocol.sealing import unseal
from consortium.protocol.spec import RISK_SIGNAL, Epoch, Manifest, share_context

PURPOSES = ("fraud-detection", RISK_SIGNAL)
"""What this bank agreed its data may be used for."""


def terms(node: Node, manifest: Manifest) -> Terms:
    """Under what this bank takes part in a round: its roster and its key, both checked."""
    return Terms(node, manifest, roster(node, manifest), epoch(node, manifest))


def roster(node: Node, manifest: Manifest) -> Roster:
    """The roster a manifest names, as its members signed it."""
    found = rosters(node, manifest.task).get(manifest.roster)
    if found is None:
        raise ProtocolRefused(
            "bad_manifest",
            gettext_noop("The manifest names a roster that the members did not sign."),
        )
    return found


def follow_rosters(node: Node) -> None:
    """Accept, in quiet times, what the members have decided since this bank looked last."""
    for task in node.centre.get("tasks"):
        with bank_scope(node.bank.pk):
            known = TrustedRoster.objects.filter(
                task=task["task"], version=task["roster_version"]
            ).exists()
        if task["roster_version"] and not known:
            rosters(node, task["task"])


def newest_roster(node: Node, task: str) -> Roster:
    return max(rosters(node, task).values(), key=lambda found: found.version)


def rosters(node: Node, task: str) -> dict[str, Roster]:
    """All valid rosters of a task by their hash; each new one is remembered."""
    if ("rosters", task) not in node.seen:
        chain = [SignedRoster.from_wire(wire) for wire in node.centre.get(f"tasks/{task}/roster")]
        with bank_scope(node.bank.pk):
            known = dict(TrustedRoster.objects.filter(task=task).values_list("version", "hash"))
        custody.check_roster(chain, known=known)
        _remember(node, task, [item for item in chain if item.roster.version not in known])
        node.seen[("rosters", task)] = {item.roster.hash(): item.roster for item in chain}
    found: dict[str, Roster] = node.seen[("rosters", task)]
    return found


def _remember(node: Node, task: str, accepted: list[SignedRoster]) -> None:
    with bank_scope(node.bank.pk):
        for item in accepted:
            TrustedRoster.objects.create(
                bank=node.bank,
                task=task,
                version=item.roster.version,
                hash=item.roster.hash(),
                signed=item.to_wire(),
            )
            audit.record(
                actor=node_actor(node.bank),
                verb="roster.trusted",
                target=f"task:{task}",
                bank=node.bank,
                version=item.roster.version,
                hash=item.roster.hash(),
            )


def epoch(node: Node, manifest: Manifest) -> Epoch:
    """The key a manifest names."""
    found = _epoch(node, manifest.epoch, roster(node, manifest))
    if found.key_id != manifest.key_id:
        raise ProtocolRefused(
            "bad_manifest", gettext_noop("The manifest names another key than this roster's.")
        )
    return found


def _epoch(node: Node, epoch_id: str, of_roster: Roster) -> Epoch:
    """A key this bank checked: its signatures, its public side, this bank's own secret."""
    if ("epoch", epoch_id) not in node.seen:
        wire = node.centre.get(f"epochs/{epoch_id}")
        signatures = [Signed.from_wire(item) for item in wire["signatures"]]
        agreed = Epoch.from_wire(signatures[0].body)
        custody.check_epoch(agreed, signatures, roster=of_roster)
        if keys.share(node.bank.slug, epoch_id) is None:
            _accept_if_there(node, agreed)
        node.seen[("epoch", epoch_id)] = agreed
    found: Epoch = node.seen[("epoch", epoch_id)]
    return found


def _accept_if_there(node: Node, agreed: Epoch) -> None:
    """A bank whose share is gone goes on without: only who gives towards a sum needs it."""
    try:
        accept_share(node, agreed)
    except Refused as refused:
        if refused.code != "share_lost":
            raise


def accept_share(node: Node, agreed: Epoch) -> None:
    """Open this bank's sealed share, check it against the published key, keep it in its file."""
    wire = node.centre.get(f"epochs/{agreed.epoch}/share")
    protocol, proof = protocol_named(agreed.protocol), bytes.fromhex(wire["biprimality"])
    if not wire["share"]:
        protocol.check_public(agreed, proof)
        raise share_lost()
    context = share_context(agreed.task, agreed.epoch, node.identity)
    content = unseal(node.sealing_key, bytes.fromhex(wire["share"]), context)
    share = dict(json.loads(content))
    protocol.check_secret(agreed, proof, share)
    keys.save_share(node.bank.slug, agreed.epoch, share)
    with bank_scope(node.bank.pk):
        audit.record(
            actor=node_actor(node.bank),
            verb="share.accepted",
            target=f"epoch:{agreed.epoch}",
            bank=node.bank,
            key_id=agreed.key_id,
        )


def manifest(node: Node, round_id: str, *, late: bool = False) -> tuple[Signed, Manifest]:
    """A round's manifest, if this bank may take part under it.

    ``late`` accepts one whose deadline has passed, to follow a round without contributing.
    """
    signed = Signed.from_wire(node.centre.get(f"rounds/{round_id}/manifest"))
    claimed = Manifest.from_wire(signed.body)
    of_roster = roster(node, claimed)
    checked = custody.check_manifest(
        signed,
        roster=of_roster,
        epoch=_epoch(node, claimed.epoch, of_roster),
        purposes=PURPOSES,
        now=min(int(time.time()), claimed.deadline - 1) if late else int(time.time()),
    )
    if checked.round != round_id:
        raise Refused(
            "other_round", gettext_noop("The coordinator answered with another round's manifest.")
        )
    return signed, checked


def _sign_once(node: Node, task: str, proposed: Roster) -> None:
    """Remember which roster this bank signs as a version, before its signature leaves.

    Two different ones with a majority each would split the consortium. The first version needs
    every member, so it can be proposed again until it is valid.
    """
    place = str(uuid.uuid5(uuid.UUID(task), f"roster {proposed.version}"))
    with bank_scope(node.bank.pk):
        trusted = TrustedRoster.objects.filter(task=task, version=proposed.version).first()
        signed = ProtocolAct.objects.filter(kind=ProtocolAct.Kind.ROSTER, round=place).first()
        before = trusted.hash if trusted else signed.proposal if signed else None
        if before not in (None, proposed.hash()) and (trusted or proposed.version > 1):
            raise ProtocolRefused(
                "second_roster",
                gettext_noop("This bank has signed another roster as version %(version)s."),
                version=proposed.version,
            )
        ProtocolAct.objects.update_or_create(
            bank=node.bank,
            kind=ProtocolAct.Kind.ROSTER,
            round=place,
            defaults={
                "task": task,
                "subject": digest(place.encode()),
                "proposal": proposed.hash(),
                "banks": list(proposed.banks),
            },
        )


def sign_proposed_roster(node: Node, *, task: str, version: int, actor: Actor) -> None:
    """An administrator compared the fingerprints and agrees: sign with the bank's key and send."""
    proposed = Roster.from_wire(node.centre.get(f"tasks/{task}/roster/{version}"))
    _sign_once(node, task, proposed)
    signature = sign_roster(proposed, bank=node.identity, key=node.signing_key)
    node.centre.post(
        f"tasks/{task}/roster/{version}/signature", signature.to_wire(), purpose="roster"
    )
    with bank_scope(node.bank.pk):
        audit.record(
            actor=actor,
            verb="roster.signed",
            target=f"task:{task}",
            bank=node.bank,
            version=version,
            hash=proposed.hash(),
        )
