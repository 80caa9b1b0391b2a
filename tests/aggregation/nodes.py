"""Banks with keys in memory that play whole rounds through the API, checking as real ones do."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.test import Client

from consortium.protocol import custody, paillier, popk, threshold
from consortium.protocol.custody import Act
from consortium.protocol.dealing import Dealing, check_dealing
from consortium.protocol.duties import Duty, NextDuties
from consortium.protocol.envelope import (
    Signed,
    SigningKey,
    digest,
    frame,
    sign,
    sign_request,
    unframe,
)
from consortium.protocol.packing import layout_named, pack, unpack
from consortium.protocol.receipts import TreeHead, cosign
from consortium.protocol.roster import Roster, SignedRoster, sign_roster
from consortium.protocol.sealing import SealingKey, seal, unseal
from consortium.protocol.spec import (
    RISK_SIGNAL,
    Box,
    Custodian,
    DerivedResult,
    Epoch,
    FreezeCertificate,
    FreezeSignature,
    JoinRequest,
    Manifest,
    ModelVote,
    PartialHeader,
    Receipt,
    Step,
    SubmissionHeader,
    partials_context,
    share_context,
    values_digest,
)
from consortium.protocol.threshold import KeyShare, ThresholdPublicKey
from consortium.protocol.wire import Message

API = "/api/v1/coordinator/"
LIMIT = 1 << 24
UPDATES = 2


@dataclass
class Node:
    """One bank's node. ``answers`` and ``votes`` let a test make it behave badly."""

    bank: str
    signing: SigningKey = field(default_factory=SigningKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)
    client: Client = field(default_factory=Client)
    share: KeyShare | None = None
    acts: list[Act] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    sums: dict[str, list[int]] = field(default_factory=dict)
    last_head: TreeHead | None = None
    accepts: bool = True
    value: int = 1
    seen: dict[Any, Any] = field(default_factory=dict)  # what was fetched and checked before

    # Talking

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        created: int | None = None,
        nonce: str = "",
        headers: dict[str, str] | None = None,
    ) -> Any:
        signed = sign_request(
            method,
            API + path,
            body,
            bank=self.bank,
            created=int(time.time()) if created is None else created,
            nonce=nonce or secrets.token_hex(16),
            key=self.signing,
        )
        return self.client.generic(
            method,
            API + path,
            body,
            content_type="application/octet-stream",
            headers=signed if headers is None else headers,
        )

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, message: object) -> Any:
        return self.call("POST", path, json.dumps(message).encode())

    def say(self, path: str, message: Message) -> Any:
        return self.post(path, self.sign(message).to_wire())

    def sign(self, message: Message) -> Signed:
        return sign(message, signer=self.bank, key=self.signing)

    def join(self, invitation: str) -> Any:
        request = JoinRequest(invitation, self.signing.verify_key.text, self.sealing.public)
        body = json.dumps(self.sign(request).to_wire())
        return self.client.post(API + "join", body, content_type="application/json")

    # What the node knows

    def duties(self) -> list[Duty]:
        return list(NextDuties.from_wire(self.get("next")).duties)

    def manifest(self, round_id: str) -> Manifest:
        if round_id not in self.seen:
            signed = Signed.from_wire(self.get(f"rounds/{round_id}/manifest"))
            claimed = Manifest.from_wire(signed.body)
            self.seen[round_id] = custody.check_manifest(
                signed,
                roster=self.roster(claimed.task, claimed.roster),
                epoch=self.key(claimed.epoch)[0],
                purposes=["fraud-detection", RISK_SIGNAL],
                now=int(time.time()),
            )
        return self.seen[round_id]

    def roster(self, task: str, wanted: str | None = None) -> Roster:
        """The task's newest roster (fetched again when another one is ``wanted``)."""
        known = self.seen.get(task)
        if known is None or (wanted is not None and known.hash() != wanted):
            chain = [SignedRoster.from_wire(item) for item in self.get(f"tasks/{task}/roster")]
            self.seen[task] = custody.check_roster(chain, known={})
        return self.seen[task]

    def key(self, epoch_id: str) -> tuple[Epoch, ThresholdPublicKey]:
        if epoch_id not in self.seen:
            facts = self.get(f"epochs/{epoch_id}")
            words = [Signed.from_wire(item) for item in facts["signatures"]]
            epoch = Epoch.from_wire(words[0].body)
            custody.check_epoch(epoch, words, roster=self.roster(epoch.task, epoch.roster))
            public = ThresholdPublicKey.from_wire(epoch.public, allow_small=True)
            self.seen[epoch_id] = epoch, public
        return self.seen[epoch_id]

    # Members and keys

    def sign_roster(self, task: str, version: int) -> Any:
        roster = Roster.from_wire(self.get(f"tasks/{task}/roster/{version}"))
        signature = sign_roster(roster, bank=self.bank, key=self.signing)
        return self.post(f"tasks/{task}/roster/{version}/signature", signature.to_wire())

    def epoch_message(self, task: str, epoch_id: str, dealing: Dealing) -> tuple[Epoch, dict]:
        self.seen.pop(task, None)
        roster = self.roster(task)
        boxes = {
            member.bank: seal(
                member.sealing_key,
                json.dumps(share.to_wire()).encode(),
                share_context(task, epoch_id, member.bank),
            )
            for member, share in zip(roster.members, dealing.shares, strict=True)
        }
        epoch = Epoch(
            task=task,
            epoch=epoch_id,
            roster=roster.hash(),
            roster_version=roster.version,
            protocol="paillier-threshold",
            key_id=dealing.public.key_id,
            key_bits=dealing.public.n.bit_length(),
            public=dealing.public.to_wire(),
            dealer=self.bank,
            custodians=tuple(
                Custodian(bank, index, digest(box))
                for index, (bank, box) in enumerate(boxes.items(), start=1)
            ),
        )
        return epoch, {
            "epoch": self.sign(epoch).to_wire(),
            "biprimality": dealing.biprimality.hex(),
            "shares": {bank: box.hex() for bank, box in boxes.items()},
        }

    def accept_share(self, epoch_id: str) -> Epoch:
        facts = self.get(f"epochs/{epoch_id}")
        epoch = Epoch.from_wire(facts["signatures"][0]["body"])
        facts = self.get(f"epochs/{epoch_id}/share")
        context = share_context(epoch.task, epoch_id, self.bank)
        opened = unseal(self.sealing, bytes.fromhex(facts["share"]), context)
        self.share = KeyShare.from_wire(json.loads(opened))
        public = ThresholdPublicKey.from_wire(epoch.public, allow_small=True)
        check_dealing(public, bytes.fromhex(facts["biprimality"]), self.share)
        return epoch

    def witness(self, epoch_id: str) -> Any:
        return self.say(f"epochs/{epoch_id}/signature", self.accept_share(epoch_id))

    # A round

    def vector(self, manifest: Manifest) -> np.ndarray:
        """Small numbers that differ from bank to bank; an update ends with the one-hot field."""
        values = np.full(manifest.length, self.value, dtype=np.int64)
        if manifest.step == "update":
            banks = self.roster(manifest.task, manifest.roster).banks
            values[-len(banks) :] = 0
            values[banks.index(self.bank) - len(banks)] = 1
        return values

    def upload(self, round_id: str, **changes: Any) -> bytes:
        """The frame of a submission; ``changes`` replace parts of it (to be refused)."""
        manifest = changes.get("manifest") or self.manifest(round_id)
        _epoch, public = self.key(manifest.epoch)
        key = public.paillier
        layout = layout_named(manifest.layout)
        plaintexts = pack(
            self.vector(manifest),
            layout=layout,
            key_bits=manifest.key_bits,
            tag=manifest.context_tag,
        )
        randomness = paillier.Randomisers(key).draw(len(plaintexts))
        ciphertexts = paillier.encrypt(plaintexts, key, randomness)
        context = manifest.proof_context(changes.get("prove_as", self.bank))
        proof = popk.prove_knowledge(key, plaintexts, randomness, ciphertexts, context)
        if "spoil" in changes:
            ciphertexts = changes["spoil"](ciphertexts, key)
        body = changes.get("body") or paillier.to_bytes(ciphertexts, key)
        proof = changes.get("proof", proof)
        header = SubmissionHeader(
            **{
                "task": manifest.task,
                "round": manifest.round,
                "bank": self.bank,
                "manifest": manifest.hash(),
                "ciphertexts": digest(body),
                "proof": digest(proof),
                **changes.get("header", {}),
            }
        )
        return frame(self.sign(header).to_wire(), body, proof)

    def submit(self, round_id: str) -> Any:
        body = self.bodies.setdefault(round_id, self.upload(round_id))
        answer = self.call("POST", f"rounds/{round_id}/submission", body)
        if answer.status_code in {200, 201}:
            header = SubmissionHeader.from_wire(unframe(body, LIMIT)[0]["body"])
            roster = self.roster(header.task)
            self.receipts[round_id] = custody.check_receipt(
                Signed.from_wire(answer.json()), header=header, roster=roster
            )
        return answer

    def submit_raw(self, round_id: str) -> Any:
        return self.call("POST", f"rounds/{round_id}/submission", b"anything")

    def sign_nothing(self) -> dict:
        """A well-formed signed message that fits nowhere."""
        return self.sign(ModelVote(self.bank, self.bank, self.bank, "0" * 64, False, "")).to_wire()  # noqa: FBT003

    def sign_freeze(self, round_id: str) -> Any:
        manifest = self.manifest(round_id)
        proposal = custody.check_freeze(
            Signed.from_wire(self.get(f"rounds/{round_id}/freeze")),
            manifest=manifest,
            roster=self.roster(manifest.task),
            bank=self.bank,
            receipt=self.receipts.get(round_id),
            acts=self.acts,
        )
        self.acts.append(Act.on(proposal))
        word = FreezeSignature(proposal.task, round_id, proposal.subject, proposal.hash())
        return self.say(f"rounds/{round_id}/freeze/signature", word)

    def certified_sum(self, round_id: str) -> tuple[FreezeCertificate, list[int]]:
        """The certificate, and the sum over exactly its list as this bank adds it."""
        if ("sum", round_id) in self.seen:
            return self.seen["sum", round_id]
        manifest = self.manifest(round_id)
        _epoch, public = self.key(manifest.epoch)
        roster = self.roster(manifest.task)
        wire = self.get(f"rounds/{round_id}/certificate")
        certificate = FreezeCertificate.from_wire(wire)
        headers, vectors = [], []
        for bank in certificate.proposal.banks:
            answer = self.call("GET", f"rounds/{round_id}/submissions/{bank}")
            assert answer.status_code == 200, answer.content
            head, (body, proof) = unframe(answer.content, LIMIT)
            signed = Signed.from_wire(head)
            header = custody.check_submission(signed, body, proof, manifest=manifest, roster=roster)
            vector = paillier.from_bytes(body, public.paillier)
            paillier.check(vector, public.paillier)
            popk.verify_knowledge(
                public.paillier, vector, manifest.proof_context(header.bank), proof
            )
            headers.append(header)
            vectors.append(vector)
        custody.check_opening(
            certificate, headers, manifest=manifest, roster=roster, acts=self.acts
        )
        self.seen["sum", round_id] = certificate, paillier.add(vectors, public.paillier)
        return self.seen["sum", round_id]

    def partial(self, round_id: str, **changes: Any) -> bytes:
        manifest = self.manifest(round_id)
        _epoch, public = self.key(manifest.epoch)
        certificate, aggregate = self.certified_sum(round_id)
        proposal = certificate.proposal.hash()
        assert self.share is not None
        values = threshold.partial_decryption(public, self.share, aggregate)
        proof = threshold.prove_partials(
            public, self.share, aggregate, values, partials_context(proposal, self.bank)
        )
        payload = frame({}, threshold.partials_to_bytes(public, values), proof)
        facts: dict[str, Any] = {
            "task": manifest.task,
            "round": round_id,
            "bank": self.bank,
            "index": self.share.index,
            "proposal": proposal,
            "aggregate": digest(paillier.to_bytes(aggregate, public.paillier)),
            "payload": digest(payload),
            "boxes": (),
            **changes,
        }
        draft = PartialHeader(**facts)
        boxes = [
            (member.bank, seal(member.sealing_key, payload, draft.payload_context(member.bank)))
            for member in self.roster(manifest.task).members
        ]
        facts["boxes"] = changes.get("boxes", tuple(Box(bank, digest(box)) for bank, box in boxes))
        return frame(self.sign(PartialHeader(**facts)).to_wire(), *(box for _bank, box in boxes))

    def open(self, round_id: str) -> Any:
        body = self.bodies.setdefault(f"partial {round_id}", self.partial(round_id))
        return self.call("POST", f"rounds/{round_id}/partials", body)

    def opened(self, round_id: str) -> list[int]:
        """The sum, from the partials that were sealed to this bank."""
        manifest = self.manifest(round_id)
        epoch, public = self.key(manifest.epoch)
        certificate, aggregate = self.certified_sum(round_id)
        own = digest(paillier.to_bytes(aggregate, public.paillier))
        partials = {}
        for item in self.get(f"rounds/{round_id}/partials"):
            signed = Signed.from_wire(item["header"])
            claimed = PartialHeader.from_wire(signed.body)
            context = claimed.payload_context(self.bank)
            payload = unseal(self.sealing, bytes.fromhex(item["box"]), context)
            header = custody.check_partial(
                signed,
                payload,
                certificate=certificate,
                aggregate=own,
                epoch=epoch,
                roster=self.roster(manifest.task),
            )
            _head, (values, proof) = unframe(payload, LIMIT)
            read = threshold.partials_from_bytes(public, values)
            context = partials_context(header.proposal, header.bank)
            threshold.verify_partials(public, header.index, aggregate, read, context, proof)
            partials[header.index] = read
        contributors = len(certificate.proposal.banks)
        total = unpack(
            threshold.combine(public, aggregate, partials),
            layout=layout_named(manifest.layout),
            key_bits=manifest.key_bits,
            length=manifest.length,
            contributors=contributors,
        )
        assert total.tag_sum == contributors * manifest.context_tag
        return [int(value) for value in total.values]

    def result(self, round_id: str, **changes: Any) -> DerivedResult:
        manifest = self.manifest(round_id)
        sums = self.sums[round_id] = self.opened(round_id)
        published = tuple(sums) if manifest.step == "metrics" else None
        members = len(self.roster(manifest.task, manifest.roster).banks)
        update = Step("update", 16, 9 + members, max(0, 1 - manifest.number))
        facts: dict[str, Any] = {
            "task": manifest.task,
            "round": round_id,
            "bank": self.bank,
            "proposal": self.certified_sum(round_id)[0].proposal.hash(),
            "result": values_digest(published or (int(np.abs(sums).sum()),)),
            "next": update if manifest.number < UPDATES else None,
            "values": published,
            **changes,
        }
        return DerivedResult(**facts)

    def derive(self, round_id: str, **changes: Any) -> Any:
        return self.say(f"rounds/{round_id}/derived", self.result(round_id, **changes))

    def vote(self, duty: Duty) -> Any:
        message = ModelVote(duty.task, duty.run, self.bank, duty.model, self.accepts, "")
        return self.say(f"runs/{duty.run}/vote", message)

    def cosign(self) -> Any:
        head = TreeHead.from_wire(self.get("log/head")["head"]["body"])
        proof = []
        if self.last_head and self.last_head.size < head.size:
            path = f"log/consistency?old={self.last_head.size}&new={head.size}"
            proof = self.get(path)["proof"]
        custody.check_head_continues(head, last=self.last_head, proof=proof)
        self.last_head = head
        signed = cosign(head, bank=self.bank, key=self.signing)
        return self.post("log/cosignature", signed.to_wire())

    def do(self, duty: Duty) -> Any:
        """One duty, as a node does it."""
        round_id = str(duty.round)
        return {
            "submit": lambda: self.submit(round_id),
            "sign_freeze": lambda: self.sign_freeze(round_id),
            "open": lambda: self.open(round_id),
            "derive": lambda: self.derive(round_id),
            "vote": lambda: self.vote(duty),
            "cosign": self.cosign,
            "sign_roster": lambda: self.sign_roster(str(duty.task), duty.number or 0),
            "witness": lambda: self.witness(str(duty.epoch)),
        }[duty.duty]()


def play(nodes: list[Node], only: set[str] | None = None) -> None:
    """Let the nodes do their duties in turn until none is left (of the kinds in ``only``)."""
    for _turn in range(100):
        idle = True
        for node in nodes:
            for duty in node.duties():
                if only is None or duty.duty in only:
                    answer = node.do(duty)
                    assert answer.status_code in {200, 201}, (duty, answer.content)
                    idle = False
        if idle:
            return
    raise AssertionError("duties without end")
