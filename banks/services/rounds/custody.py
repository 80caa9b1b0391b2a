"""A custodian's duties: sign one member list, re-add the uploads, open that sum and no other.

Every act is written down before it leaves the bank. The checks themselves are the protocol's
(``consortium.protocol.custody``); here is the memory and the work.
"""

from __future__ import annotations

import time

from django.db import IntegrityError

from banks import keys
from banks.models import ProtocolAct, RoundPart
from banks.services.rounds import agreement
from banks.services.rounds.node import Node, manifest_of
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import custody, paillier, popk, threshold
from consortium.protocol.custody import Act
from consortium.protocol.envelope import Signed, digest, frame, unframe
from consortium.protocol.errors import ProtocolRefused, Refused, gettext_noop
from consortium.protocol.paillier import Ciphertext
from consortium.protocol.roster import Roster
from consortium.protocol.sealing import seal
from consortium.protocol.spec import (
    Box,
    FreezeCertificate,
    FreezeProposal,
    FreezeSignature,
    Manifest,
    PartialHeader,
    Receipt,
    SubmissionHeader,
    partials_context,
)

PROOF_ALLOWANCE = 1 << 20
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
        acts=_acts(node, Kind.SIGNED, manifest.task),
    )
    _remember(node, Kind.SIGNED, proposal)
    word = FreezeSignature(proposal.task, proposal.round, proposal.subject, proposal.hash())
    node.centre.post(
        f"rounds/{manifest.round}/freeze/signature",
        node.sign(word).to_wire(),
        purpose="freeze signature",
    )
    stage = RoundPart.Stage.FROZEN if receipt else RoundPart.Stage.LEFT_OUT
    node.update(part, stage=stage)


def open_sum(node: Node, part: RoundPart) -> None:
    """Give this custodian's partial decryption of the certified sum, sealed to every bank."""
    started = time.perf_counter()
    manifest = manifest_of(part)
    roster = agreement.roster(node, manifest)
    trusted = agreement.epoch(node, manifest)
    share = keys.share(node.bank.slug, manifest.epoch)
    if share is None:
        raise Refused(
            "share_lost",
            gettext_noop("This bank's key share is not in its folder; other custodians can open."),
        )
    certificate, aggregate = certified_sum(node, part)
    _remember(node, Kind.OPENED, certificate.proposal)
    proposal = certificate.proposal.hash()
    partials = threshold.partial_decryption(trusted.public, share, aggregate)
    context = partials_context(proposal, node.identity)
    proof = threshold.prove_partials(trusted.public, share, aggregate, partials, context)
    payload = frame({}, threshold.partials_to_bytes(trusted.public, partials), proof)
    body = _sealed(node, manifest, roster, proposal, aggregate_digest(part), share.index, payload)
    node.centre.post_bytes(f"rounds/{manifest.round}/partials", body, purpose="partial decryption")
    seconds = {**part.seconds, "open": round(time.perf_counter() - started, 3)}
    node.update(part, seconds=seconds, bytes_up=part.bytes_up + len(body))


def certified_sum(node: Node, part: RoundPart) -> tuple[FreezeCertificate, list[Ciphertext]]:
    """The freeze certificate and the sum over exactly its list, which this bank added itself."""
    manifest = manifest_of(part)
    roster = agreement.roster(node, manifest)
    key = agreement.epoch(node, manifest).public.paillier
    certificate = FreezeCertificate.from_wire(
        node.centre.get(f"rounds/{manifest.round}/certificate")
    )
    if part.aggregate:
        custody.check_list(certificate.proposal, manifest=manifest)
        custody.check_certificate(certificate, roster)
        if part.aggregate_of != certificate.proposal.hash():
            raise ProtocolRefused(
                "second_list", gettext_noop("This bank has added the uploads of another list.")
            )
        return certificate, paillier.from_bytes(bytes(part.aggregate), key)
    headers, vectors, received = [], [], 0
    for contribution in certificate.proposal.contributions:
        header, vector, size = _upload(node, manifest, roster, key, contribution.bank)
        headers.append(header)
        vectors.append(vector)
        received += size
    acts = _acts(node, Kind.OPENED, manifest.task)
    custody.check_opening(certificate, headers, manifest=manifest, roster=roster, acts=acts)
    aggregate = paillier.add(vectors, key)
    # Only the product is kept: the uploads of other banks never touch this bank's disk.
    node.update(
        part,
        aggregate=paillier.to_bytes(aggregate, key),
        aggregate_of=certificate.proposal.hash(),
        certificate=certificate.to_wire(),
        bytes_down=part.bytes_down + received,
    )
    return certificate, aggregate


def aggregate_digest(part: RoundPart) -> str:
    return digest(bytes(part.aggregate))


def _upload(
    node: Node, manifest: Manifest, roster: Roster, key: paillier.PublicKey, bank: str
) -> tuple[SubmissionHeader, list[Ciphertext], int]:
    """One bank's upload, checked as if the coordinator had checked nothing."""
    body = node.centre.get_bytes(f"rounds/{manifest.round}/submissions/{bank}")
    limit = manifest.ciphertexts * key.ciphertext_bytes + PROOF_ALLOWANCE
    head, blobs = unframe(body, limit)
    if len(blobs) != 2:
        raise ProtocolRefused(
            "bad_submission", gettext_noop("A submission holds ciphertexts and one proof.")
        )
    ciphertexts, proof = blobs
    header = custody.check_submission(
        Signed.from_wire(head), ciphertexts, proof, manifest=manifest, roster=roster
    )
    vector = paillier.from_bytes(ciphertexts, key)
    if header.bank != bank or len(vector) != manifest.ciphertexts:
        raise ProtocolRefused(
            "bad_submission", gettext_noop("The submission is not the one that the list names.")
        )
    paillier.check(vector, key)
    popk.verify_knowledge(key, vector, manifest.proof_context(bank), proof)
    return header, vector, len(body)


def _sealed(
    node: Node,
    manifest: Manifest,
    roster: Roster,
    proposal: str,
    aggregate: str,
    index: int,
    payload: bytes,
) -> bytes:
    """The upload of a partial decryption: one box for each bank of the roster."""
    draft = PartialHeader(
        task=manifest.task,
        round=manifest.round,
        bank=node.identity,
        index=index,
        proposal=proposal,
        aggregate=aggregate,
        payload=digest(payload),
        boxes=(),
    )
    boxes = [
        (member.bank, seal(member.sealing_key, payload, draft.payload_context(member.bank)))
        for member in roster.members
    ]
    header = PartialHeader(
        **{
            **vars(draft),
            "boxes": tuple(Box(bank=bank, box=digest(box)) for bank, box in boxes),
        }
    )
    return frame(node.sign(header).to_wire(), *(box for _, box in boxes))


def _acts(node: Node, kind: str, task: str) -> list[Act]:
    with bank_scope(node.bank.pk):
        return [
            Act(row.subject, str(row.round), row.proposal, tuple(row.banks))
            for row in ProtocolAct.objects.filter(kind=kind, task=task)
        ]


def _remember(node: Node, kind: str, proposal: FreezeProposal) -> None:
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
