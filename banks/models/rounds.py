"""A bank's memory of the protocol: what it trusts, what it promised, what it sent.

Acts outlive a crash: a freeze list is signed once, a sum is opened once.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .base import OwnedByBank
from .training import TrainingRun


class TrustedRoster(OwnedByBank):
    """A roster version this bank has verified (its own signature is in it, or a majority's)."""

    task = models.UUIDField()
    version = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    signed = models.JSONField()
    trusted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "task", "version"], name="one_roster_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} v{self.version}"


class RoundPart(OwnedByBank):
    """This bank's part in one aggregation round, from its manifest to the derived bytes."""

    class Stage(models.TextChoices):
        ADVERTISED = "advertised", _("mask keys published")
        TRAINING = "training", _("training")
        READY = "ready", _("encrypted, waiting to be sent")
        SUBMITTED = "submitted", _("submitted, receipt in hand")
        FROZEN = "frozen", _("freeze list signed")
        DERIVED = "derived", _("sum opened")
        LEFT_OUT = "left_out", _("not a member of this round")
        FAILED = "failed", _("failed")

    task = models.UUIDField()
    consortium_run = models.UUIDField()
    round = models.UUIDField()
    number = models.PositiveIntegerField()
    purpose = models.CharField(max_length=30)
    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="parts")
    manifest = models.JSONField()  # signed by the coordinator
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.TRAINING)
    upload = models.BinaryField(default=b"")  # the encrypted body, until its receipt is in hand
    submission = models.JSONField(null=True)  # the signed header of the upload
    receipt = models.JSONField(null=True)
    certificate = models.JSONField(null=True)
    aggregate = models.BinaryField(default=b"")  # the sum this bank added itself, still encrypted
    aggregate_of = models.CharField(max_length=64, blank=True)  # the freeze list it adds up
    derived = models.BinaryField(default=b"")
    derived_hash = models.CharField(max_length=64, blank=True)
    seconds = models.JSONField(default=dict)  # by step
    # Of the round's own requests and answers; of the process that took most memory for it.
    bytes_up = models.PositiveBigIntegerField(default=0)
    bytes_down = models.PositiveBigIntegerField(default=0)
    peak_memory = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "round"], name="one_part_in_a_round")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}: {self.stage}"


class Rehearsal(OwnedByBank):
    """What this node needs for a task's run: measured here before the first, by doing its parts.

    ``body`` is ``services.rounds.estimating.Rehearsed`` as JSON.
    """

    task = models.UUIDField()
    body = models.JSONField(default=dict)
    asked_at = models.DateTimeField(default=timezone.now)
    made_at = models.DateTimeField(null=True, blank=True)  # None: it waits for the train queue
    failure = models.JSONField(default=dict)  # a refusal: code, sentence, params

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "task"], name="one_rehearsal_of_a_task")
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.made_at or 'waiting'}"


class ProtocolAct(OwnedByBank):
    """A member list this bank signed, or a sum it gave a partial decryption for: once a round.

    Written before the signature or the partial leaves the bank, so a crash cannot forget it.
    """

    class Kind(models.TextChoices):
        SIGNED = "signed", _("freeze list signed")
        OPENED = "opened", _("given towards opening a sum")
        ROSTER = "roster", _("roster signed")

    kind = models.CharField(max_length=8, choices=Kind)
    task = models.UUIDField()
    subject = models.CharField(max_length=64)
    round = models.UUIDField()
    proposal = models.CharField(max_length=64)
    banks = models.JSONField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-made_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "kind", "round"], name="one_act_in_a_round")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.round}"


class WitnessedHead(OwnedByBank):
    """A head of the coordinator's log that this bank cosigned; the next one must continue it."""

    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=64)
    head = models.JSONField()
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-size"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "size"], name="one_head_of_each_size")
        ]

    def __str__(self) -> str:
        return f"log of {self.size}"


class ProtocolLease(OwnedByBank):
    """Which chain of protocol steps is alive; a fenced one that wakes late does nothing."""

    token = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(default=timezone.now)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    # Duties that only a person may do: sign a roster, deal or witness a key.
    for_people = models.JSONField(default=list)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank"], name="one_protocol_lease_per_bank")
        ]

    def __str__(self) -> str:
        return f"{self.bank_id}: {self.token}"


class SentMessage(OwnedByBank):
    """The ledger of what left the building: every body sent, by size and digest."""

    at = models.DateTimeField(default=timezone.now)
    path = models.CharField(max_length=200)
    purpose = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["bank", "-at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.purpose} {self.size}"


class Destruction(OwnedByBank):
    """The other side of the ledger: what this bank had for a round or a key and has no more.

    ``subject`` is the round or the key epoch; ``pieces`` and ``size`` (bytes, 0 for secrets) say
    how much it was.
    """

    class What(models.TextChoices):
        UPLOADS = "uploads", _("other banks' encrypted uploads, once added")
        OWN_UPLOAD = "own_upload", _("copy of the own encrypted upload")
        MASK_KEYS = "mask_keys", _("own mask keys of a round")
        SHARE = "share", _("share of a retired key")

    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=10, choices=What)
    subject = models.UUIDField()
    pieces = models.PositiveIntegerField(default=1)
    size = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "what", "subject"], name="destroyed_once")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.what} {self.subject}"
