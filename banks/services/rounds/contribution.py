"""Taking part in a round: remember the manifest, learn or count, encrypt, submit, keep the receipt.

The heavy middle runs on the bank's ``train`` queue under a lease; what it leaves behind is the
encrypted upload, so a crash after it costs nothing and before it only time.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from banks.ml.encoding import IntArray
from banks.models import RoundPart, TrainingRun
from banks.services.rounds import agreement, course
from banks.services.rounds.estimates import reckoning
from banks.services.rounds.estimates.agreed import Agreed
from banks.services.rounds.node import Node, manifest_of
from banks.services.rounds.protocols import protocol_named
from consortium.accounts import audit
from consortium.accounts.actors import node as node_actor
from consortium.accounts.tenancy import bank_scope
from consortium.memory import peak_memory
from consortium.protocol import custody
from consortium.protocol.envelope import Signed, digest, frame
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.spec import Manifest, SubmissionHeader

LEASE = timedelta(minutes=10)
Stage = RoundPart.Stage


def take_part(node: Node, round_id: str, *, until: int | None = None) -> RoundPart:
    """Check a round's manifest and remember it; the part then waits for the train queue.

    ``until`` is the deadline that the coordinator names now: it may have been extended.
    """
    part = join(node, round_id, stage=Stage.TRAINING, until=until)
    if part.stage == Stage.ADVERTISED:
        node.update(part, stage=Stage.TRAINING, upload=b"")
    return part


def join(node: Node, round_id: str, *, stage: str, until: int | None = None) -> RoundPart:
    """Check a round's manifest and what it starts from, and remember it at ``stage``."""
    known = node.part(round_id)
    if known is not None:
        return known
    extended = until is not None and until > time.time()
    signed, manifest = agreement.manifest(node, round_id, late=extended)
    course.check_start(node, manifest)
    return _remember(node, signed, manifest, stage=stage)


def known_part(node: Node, round_id: str) -> RoundPart:
    """The part in a round; one this bank came too late for is remembered without an upload."""
    known = node.part(round_id)
    if known is not None:
        return known
    signed, manifest = agreement.manifest(node, round_id, late=True)
    return _remember(node, signed, manifest, stage=Stage.LEFT_OUT)


def _remember(node: Node, signed: Signed, manifest: Manifest, *, stage: str) -> RoundPart:
    with bank_scope(node.bank.pk):
        run, begun = TrainingRun.objects.get_or_create(
            bank=node.bank,
            consortium_run=manifest.run,
            defaults={
                "phase": TrainingRun.Phase.CONSORTIUM,
                "trigger": TrainingRun.Trigger.CONSORTIUM,
                "status": TrainingRun.Status.RUNNING,
                "started_at": Now(),
                "settings": manifest.recipe,
            },
        )
        part, created = RoundPart.objects.get_or_create(
            bank=node.bank,
            round=manifest.round,
            defaults={
                "task": manifest.task,
                "consortium_run": manifest.run,
                "number": manifest.number,
                "purpose": manifest.step,
                "run": run,
                "manifest": signed.to_wire(),
                "stage": stage,
            },
        )
        if begun:
            banks = len(agreement.roster(node, manifest).banks)
            reckoning.keep(node.bank, run, Agreed.of_manifest(manifest, banks))
        if created:
            TrainingRun.objects.filter(pk=run.pk).update(
                step=manifest.step, step_number=manifest.number + 1
            )
            audit.record(
                actor=node_actor(node.bank),
                verb="round.joined",
                target=f"round:{manifest.round}",
                bank=node.bank,
                manifest=manifest.hash(),
                step=manifest.step,
            )
    return part


def waiting_for_training(node: Node) -> list[int]:
    """Parts that nobody works on: new ones, and those whose worker fell silent."""
    with bank_scope(node.bank.pk):
        return list(
            RoundPart.objects.filter(
                Q(lease_until__isnull=True) | Q(lease_until__lt=Now()), stage=Stage.TRAINING
            ).values_list("pk", flat=True)
        )


def prepare_upload(node: Node, part_id: int) -> bool:
    """Learn or count, encrypt and prove: leaves the upload ready to be sent; False if not ours."""
    part = _claim(node, part_id)
    if part is None:
        return False
    try:
        with peak_memory() as peak:
            columns = _work(node, part)
        columns["peak_memory"] = peak.bytes
    except Refused as refused:
        columns = {"stage": Stage.FAILED, "failure": str(refused)}
    node.book_traffic()
    with bank_scope(node.bank.pk):
        return bool(
            RoundPart.objects.filter(
                pk=part.pk, stage=Stage.TRAINING, lease_token=part.lease_token
            ).update(**columns)
        )


def _claim(node: Node, part_id: int) -> RoundPart | None:
    with bank_scope(node.bank.pk):
        taken = RoundPart.objects.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=Now()),
            pk=part_id,
            stage=Stage.TRAINING,
        ).update(lease_until=Now() + LEASE, lease_token=F("lease_token") + 1)
        if not taken:
            return None
        return RoundPart.objects.select_related("run").get(pk=part_id)


def _work(node: Node, part: RoundPart) -> dict[str, object]:
    manifest = manifest_of(part)
    started = time.perf_counter()
    vector = course.vector(node, manifest)
    learned = time.perf_counter()
    signed, upload = encrypt(node, manifest, vector)
    return {
        "stage": Stage.READY,
        "submission": signed.to_wire(),
        "upload": upload,
        "seconds": {
            "learn": round(learned - started, 3),
            "encrypt": round(time.perf_counter() - learned, 3),
        },
    }


def encrypt(node: Node, manifest: Manifest, vector: IntArray) -> tuple[Signed, bytes]:
    """The signed header, and the upload: header, closed vector, what proves it well made."""
    if len(vector) != manifest.length:
        raise Refused(
            "wrong_length",
            gettext_noop("The round asks for %(asked)s values; this bank has %(have)s."),
            asked=manifest.length,
            have=len(vector),
        )
    upload = protocol_named(manifest.protocol).close(agreement.terms(node, manifest), vector)
    header = SubmissionHeader(
        task=manifest.task,
        round=manifest.round,
        bank=node.identity,
        manifest=manifest.hash(),
        ciphertexts=digest(upload.body),
        proof=digest(upload.proof),
    )
    signed = node.sign(header)
    return signed, frame(signed.to_wire(), upload.body, upload.proof)


def submit(node: Node, part: RoundPart) -> None:
    """Send the upload and keep the receipt; sending the same again gives the same receipt."""
    manifest = manifest_of(part)
    if part.submission is None:
        raise Refused("nothing_to_send", gettext_noop("There is no encrypted upload yet."))
    answer = node.centre.post_bytes(
        f"rounds/{manifest.round}/submission", bytes(part.upload), purpose=manifest.step
    )
    receipt = Signed.from_wire(answer)
    header = SubmissionHeader.from_wire(part.submission["body"])
    custody.check_receipt(receipt, header=header, roster=agreement.roster(node, manifest))
    node.update(part, stage=Stage.SUBMITTED, receipt=receipt.to_wire())
