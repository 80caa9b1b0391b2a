"""A custodian's word: one member list is signed, one sum is opened, and both are remembered.

Every act is written down before it leaves the bank. The checks themselves are the protocol's
(``consortium.protocol.custody``); here is the memory.
"""

from __future__ import annotations

from django.db import IntegrityError

from banks.models import ProtocolAct, RoundPart
from banks.services.rounds import agreement
from banks.services.rounds.node import Node, manifest_of
from banks.services.signal import summing
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody
from consortium.protocol.custody import Act
from consortium.protocol.envelope import Signed
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.spec import FreezeProposal, FreezeSignature, Receipt

Kind = ProtocolAct.Kind


def sign_freeze(node: Node, part: RoundPart) -> None:
    """Sign the coordinator's list, if it honours this bank's receipt and is the only one."""
    manifest = manifest_of(part)
    roster = agreement.roster(node, manifest)
    signed = Signed.from_wire(node.centre.get(f"rounds/{manifest.round}/freeze"))
    receipt = Receipt.from_wire(part.receipt["body"]) if part.receipt else None
    proposal = custody.check_freeze(
        signed,
        manifest=manifest,
        roster=roster,
        bank=node.identity,
        receipt=receipt,
        acts=acts(node, Kind.SIGNED, manifest.task),
    )
    summing.check_list(node, manifest, proposal.banks)
    remember(node, Kind.SIGNED, proposal)
    word = FreezeSignature(proposal.task, proposal.round, proposal.subject, proposal.hash())
    node.centre.post(
        f"rounds/{manifest.round}/freeze/signature",
        node.sign(word).to_wire(),
        purpose="freeze signature",
    )
    stage = RoundPart.Stage.FROZEN if receipt else RoundPart.Stage.LEFT_OUT
    node.update(part, stage=stage)


def acts(node: Node, kind: str, task: str) -> list[Act]:
    with bank_scope(node.bank.pk):
        return [
            Act(row.subject, str(row.round), row.proposal, tuple(row.banks))
            for row in ProtocolAct.objects.filter(kind=kind, task=task)
        ]


def remember(node: Node, kind: str, proposal: FreezeProposal) -> None:
    """Write the act down before it leaves; the same act again is the same row."""
    act = Act.on(proposal)
    try:
        with bank_scope(node.bank.pk):
            row, created = ProtocolAct.objects.get_or_create(
                bank=node.bank,
                kind=kind,
                round=act.round,
                defaults={
                    "task": proposal.task,
                    "subject": act.subject,
                    "proposal": act.proposal,
                    "banks": list(act.banks),
                },
            )
            if created:
                audit.record(
                    actor=node_actor(node.bank),
                    verb=f"round.{kind}",
                    target=f"round:{act.round}",
                    bank=node.bank,
                    list=act.proposal,
                    banks=len(act.banks),
                )
    except IntegrityError as error:
        raise _second(kind) from error
    if row.proposal != act.proposal:
        raise _second(kind)


def _second(kind: str) -> ProtocolRefused:
    return ProtocolRefused(
        "second_list",
        gettext_noop("This bank has acted on another list in this round (%(kind)s)."),
        kind=kind,
    )
