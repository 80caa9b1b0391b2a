"""One encrypted sum, from its manifest to the result that the banks signed."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import Bank

from .tasks import TrainingRun


class Round(models.Model):
    """An aggregation round: open → frozen → opened, or abandoned, or disputed.

    ``phase`` says what is awaited inside a state. ``subject`` is what only one list of banks may
    ever be frozen over (``Manifest.subject``).
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        FROZEN = "frozen", _("frozen")
        OPENED = "opened", _("opened")
        ABANDONED = "abandoned", _("abandoned")
        DISPUTED = "disputed", _("disputed")

    class Phase(models.TextChoices):
        ADVERTISING = "advertising", _("waiting for mask keys")
        COLLECTING = "collecting", _("waiting for submissions")
        SIGNING = "signing", _("waiting for freeze signatures")
        OPENING = "opening", _("waiting for custodians")
        DERIVING = "deriving", _("waiting for results")
        OVER = "over", _("over")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(TrainingRun, on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField()  # from 0; the last one is the metrics
    attempt = models.PositiveSmallIntegerField(default=1)
    step = models.CharField(max_length=200)
    asked = models.JSONField()  # the step as the task or the banks of the round before asked for it
    following = models.JSONField(null=True)  # the step that this round's banks ask for next
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    phase = models.CharField(max_length=12, choices=Phase, default=Phase.COLLECTING)
    manifest = models.JSONField()  # signed by the centre
    manifest_hash = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=64, db_index=True)
    deadline = models.DateTimeField()
    roll = models.JSONField(null=True)  # of mask keys, signed by the centre
    proposal = models.JSONField(null=True)  # the freeze list, signed by the centre
    proposal_hash = models.CharField(max_length=64, blank=True)
    aggregate = models.BinaryField(default=b"")  # the sum's ciphertexts
    aggregate_hash = models.CharField(max_length=64, blank=True)
    result = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)  # why abandoned or disputed: an English message id
    reason_params = models.JSONField(default=dict)
    opened_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True, blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["number", "attempt"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "number", "attempt"], name="attempt_of_a_round_once"
            ),
            models.UniqueConstraint(
                fields=["run"],
                condition=Q(state__in=["open", "frozen"]),
                name="one_round_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["run", "number"], condition=Q(state="opened"), name="opened_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", phase__in=["advertising", "collecting"])
                | Q(state="frozen", phase__in=["signing", "opening", "deriving"])
                | Q(state__in=["opened", "abandoned", "disputed"], phase="over"),
                name="phase_fits_state",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["frozen", "opened", "disputed"])
                | (~Q(proposal_hash="") & Q(frozen_at__isnull=False)),
                name="frozen_round_has_list",
            ),
            models.CheckConstraint(
                condition=~Q(state="opened") | (~Q(result="") & ~Q(aggregate_hash="")),
                name="opened_round_has_result",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["abandoned", "disputed"]) | ~Q(reason=""),
                name="ended_round_has_reason",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "deadline"])]

    def __str__(self) -> str:
        return f"{self.run} / {self.number}.{self.attempt}"


class Submission(models.Model):
    """One bank's upload. ``body`` is emptied after the opening; hashes and receipt stay."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="submissions")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    body = models.BinaryField()  # the frame as it was sent
    body_hash = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()  # the same for every bank of a round
    hash = models.CharField(max_length=64, unique=True)  # of the signed header
    ciphertexts_hash = models.CharField(max_length=64)
    receipt = models.JSONField()  # signed by the centre
    log_index = models.PositiveBigIntegerField()
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["log_index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "bank"], name="one_submission_per_round"),
            models.UniqueConstraint(fields=["ciphertexts_hash"], name="no_copied_ciphertexts"),
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.bank}"


class MaskAdvertisement(models.Model):
    """A bank's mask keys for one masked sum: signed; the boxes are ``SealedMaskShares``."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="advertisements")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    body_hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "bank"], name="one_advertisement_per_bank")
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.bank}"


class SealedMaskShares(models.Model):
    """Shares of a bank's mask keys in a box that only ``recipient`` opens; emptied afterwards."""

    advertisement = models.ForeignKey(
        MaskAdvertisement, on_delete=models.CASCADE, related_name="boxes"
    )
    recipient = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["advertisement", "recipient"], name="one_box_of_mask_shares"
            )
        ]

    def __str__(self) -> str:
        return f"{self.advertisement} → {self.recipient}"


class FreezeSignature(models.Model):
    """A bank's signature under the round's list."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="freeze_signatures")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "bank"], name="one_freeze_signature")
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.bank}"


class Partial(models.Model):
    """A custodian's partial decryption: the signed header; the boxes are ``SealedPartial``s."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="partials")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    header = models.JSONField()
    body_hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "bank"], name="one_partial_per_custodian")
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.bank}"


class SealedPartial(models.Model):
    """One custodian's payload in a box that only ``recipient`` opens."""

    partial = models.ForeignKey(Partial, on_delete=models.CASCADE, related_name="boxes")
    recipient = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partial", "recipient"], name="one_box_per_recipient")
        ]

    def __str__(self) -> str:
        return f"{self.partial} → {self.recipient}"


class Derived(models.Model):
    """The hash of what a bank derived from the opened sum, signed by it."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="derived")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    result = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "bank"], name="one_result_per_bank")
        ]

    def __str__(self) -> str:
        return f"{self.round}: {self.bank}"


class PublishedSum(models.Model):
    """A sum over the banks that they published to the centre, each with its signature."""

    round = models.OneToOneField(Round, on_delete=models.PROTECT, related_name="published")
    values = ArrayField(models.BigIntegerField())
    banks = models.PositiveSmallIntegerField()  # how many are in the sum
    published_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-published_at"]

    def __str__(self) -> str:
        return str(self.round)
