"""A custodian's work: re-add the certified uploads, give towards that sum only, open it.

What is given and how it opens is the round's protocol's (``protocols``); who may be in the sum,
and that it is opened once, is the same for all.
"""

from __future__ import annotations

import time
from typing import Any

from banks.models import ProtocolAct, RoundPart
from banks.services.rounds import agreement, destroying
from banks.services.rounds.custody import acts, remember
from banks.services.rounds.node import Node, manifest_of
from banks.services.rounds.protocols import Terms, protocol_named
from banks.services.rounds.protocols.interface import IntArray, Upload
from consortium.memory import peak_memory
from consortium.protocol import custody
from consortium.protocol.envelope import Signed, digest, frame, unframe
from consortium.protocol.errors import ProtocolRefused, gettext_noop
from consortium.protocol.sealing import seal, unseal
from consortium.protocol.spec import (
    Box,
    FreezeCertificate,
    FreezeProposal,
    PartialHeader,
    SubmissionHeader,
)
from consortium.protocol.wire import Json

Kind = ProtocolAct.Kind


def open_sum(node: Node, part: RoundPart) -> None:
    """Give what this custodian holds towards the certified sum, sealed to every bank."""
    with peak_memory() as peak:
        terms = agreement.terms(node, manifest_of(part))
        certificate, aggregate = certified_sum(terms, part)
        started = time.perf_counter()
        remember(node, Kind.OPENED, certificate.proposal)
        payload = protocol_named(terms.manifest.protocol).give(terms, certificate, aggregate)
        body = _sealed(terms, certificate.proposal, digest(aggregate), payload)
        path = f"rounds/{terms.manifest.round}/partials"
        node.centre.post_bytes(path, body, purpose="opening share")
    seconds = {**part.seconds, "open": round(time.perf_counter() - started, 3)}
    node.update(part, seconds=seconds, peak_memory=max(part.peak_memory, peak.bytes))


def certified_sum(terms: Terms, part: RoundPart) -> tuple[FreezeCertificate, bytes]:
    """The freeze certificate and the closed sum over exactly its list, added by this bank."""
    node, manifest = terms.node, terms.manifest
    certificate = FreezeCertificate.from_wire(
        node.centre.get(f"rounds/{manifest.round}/certificate")
    )
    if part.aggregate:
        custody.check_list(certificate.proposal, manifest=manifest)
        custody.check_certificate(certificate, terms.roster)
        if part.aggregate_of != certificate.proposal.hash():
            raise ProtocolRefused(
                "second_list", gettext_noop("This bank has added the uploads of another list.")
            )
        return certificate, bytes(part.aggregate)
    started, headers, vectors = time.perf_counter(), [], []
    received = 0
    for contribution in certificate.proposal.contributions:
        header, vector, size = _upload(terms, contribution.bank)
        headers.append(header)
        vectors.append(vector)
        received += size if contribution.bank != node.identity else 0
    custody.check_opening(
        certificate,
        headers,
        manifest=manifest,
        roster=terms.roster,
        acts=acts(node, Kind.OPENED, manifest.task),
    )
    aggregate = protocol_named(manifest.protocol).add(terms, vectors)
    # Only the sum is kept: the uploads of other banks never touch this bank's disk.
    node.update(
        part,
        aggregate=aggregate,
        aggregate_of=certificate.proposal.hash(),
        certificate=certificate.to_wire(),
        seconds={**part.seconds, "add": round(time.perf_counter() - started, 3)},
    )
    foreign = len(set(certificate.proposal.banks) - {node.identity})
    destroying.record(node, destroying.What.UPLOADS, manifest.round, pieces=foreign, size=received)
    return certificate, aggregate


def _upload(terms: Terms, bank: str) -> tuple[SubmissionHeader, Any, int]:
    """One bank's upload, checked as if the coordinator had checked nothing."""
    manifest = terms.manifest
    protocol = protocol_named(manifest.protocol)
    body = terms.node.centre.get_bytes(f"rounds/{manifest.round}/submissions/{bank}")
    head, blobs = unframe(body, protocol.largest_upload(terms))
    if len(blobs) != 2:
        raise ProtocolRefused(
            "bad_submission", gettext_noop("A submission holds a closed vector and one proof.")
        )
    upload = Upload(*blobs)
    header = custody.check_submission(
        Signed.from_wire(head), upload.body, upload.proof, manifest=manifest, roster=terms.roster
    )
    if header.bank != bank:
        raise ProtocolRefused(
            "bad_submission", gettext_noop("The submission is not the one that the list names.")
        )
    return header, protocol.check(terms, bank, upload), len(body)


def _sealed(terms: Terms, proposal: FreezeProposal, aggregate: str, payload: bytes) -> bytes:
    """The upload of what a custodian gives: one box for each bank that the sum is for."""
    manifest, me = terms.manifest, terms.node.identity
    draft = PartialHeader(
        task=manifest.task,
        round=manifest.round,
        bank=me,
        index=terms.epoch.index_of(me) or 0,
        proposal=proposal.hash(),
        aggregate=aggregate,
        payload=digest(payload),
        boxes=(),
    )
    boxes = [
        (bank, seal(terms.roster.member(bank).sealing_key, payload, draft.payload_context(bank)))
        for bank in custody.readers(proposal, manifest=manifest, roster=terms.roster)
    ]
    listed = tuple(Box(bank=bank, box=digest(box)) for bank, box in boxes)
    header = PartialHeader(**{**vars(draft), "boxes": listed})
    return frame(terms.node.sign(header).to_wire(), *(box for _, box in boxes))


def opened(node: Node, part: RoundPart) -> tuple[FreezeCertificate, IntArray]:
    """The opened sum int64[length]; a custodian whose part does not hold is skipped by name."""
    terms = agreement.terms(node, manifest_of(part))
    protocol = protocol_named(terms.manifest.protocol)
    certificate, aggregate = certified_sum(terms, part)
    if not protocol.needed(terms):
        remember(node, Kind.OPENED, certificate.proposal)
    given: dict[str, Any] = {}
    faults = []
    for item in node.centre.get(f"rounds/{terms.manifest.round}/partials"):
        try:
            header, payload = _unsealed(terms, certificate, aggregate, item)
            given[header.bank] = protocol.read(terms, certificate, aggregate, header, payload)
        except ProtocolRefused as fault:
            faults.append(str(fault))
    if len(given) < protocol.needed(terms) and faults:
        raise ProtocolRefused(
            "partials_refused",
            gettext_noop("Partials were refused: %(why)s"),
            why="; ".join(faults),
        )
    return certificate, protocol.open(terms, certificate, aggregate, given)


def _unsealed(
    terms: Terms, certificate: FreezeCertificate, aggregate: bytes, item: Json
) -> tuple[PartialHeader, bytes]:
    """What a custodian sealed to this bank for this sum."""
    signed = Signed.from_wire(item["header"])
    context = PartialHeader.from_wire(signed.body).payload_context(terms.node.identity)
    payload = unseal(terms.node.sealing_key, bytes.fromhex(str(item["box"])), context)
    header = custody.check_partial(
        signed,
        payload,
        certificate=certificate,
        aggregate=digest(aggregate),
        epoch=terms.epoch,
        roster=terms.roster,
    )
    return header, payload
