"""The keys the banks share: the public side, and each bank's share in a box only it opens."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import Bank

from .members import RosterVersion
from .tasks import Task


class KeyEpoch(models.Model):
    """One shared key, made for one roster; active once its dealer and two witnesses signed."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waiting for witnesses")
        ACTIVE = "active", _("active")
        RETIRED = "retired", _("retired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="epochs")
    roster = models.ForeignKey(RosterVersion, on_delete=models.PROTECT, related_name="epochs")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    body = models.JSONField()  # consortium.protocol.spec.Epoch
    key_id = models.CharField(max_length=64)
    key_bits = models.PositiveIntegerField()
    modulus = models.BinaryField()  # n, big-endian: what ciphertexts are checked against
    biprimality = models.BinaryField(default=b"")
    dealer = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    active_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["roster"],
                condition=Q(state__in=["proposed", "active"]),
                name="one_key_per_roster",
            ),
            models.UniqueConstraint(fields=["key_id"], name="key_used_for_one_epoch"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.key_id[:12]}"


class EpochSignature(models.Model):
    """The word of the dealer or of a witness on a key."""

    epoch = models.ForeignKey(KeyEpoch, on_delete=models.CASCADE, related_name="signatures")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["epoch", "bank"], name="one_word_per_epoch")
        ]

    def __str__(self) -> str:
        return f"{self.epoch}: {self.bank}"


class SealedShare(models.Model):
    """A custodian's share, sealed to it; emptied when the epoch is retired."""

    epoch = models.ForeignKey(KeyEpoch, on_delete=models.CASCADE, related_name="shares")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["epoch", "bank"], name="one_share_per_custodian")
        ]

    def __str__(self) -> str:
        return f"{self.epoch}: {self.bank}"
