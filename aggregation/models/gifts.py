"""What members give newcomers, as far as the centre carries it: sealed boxes and signed words."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from consortium.accounts.models import Bank

from .tasks import TrainingRun


class Gift(models.Model):
    """A newcomer's request to one peer, the peer's sealed answer, the newcomer's verdict.

    ``box`` opens at the recipient only and is emptied after the verdict; the hashes stay.
    """

    run = models.ForeignKey(TrainingRun, on_delete=models.PROTECT, related_name="gifts")
    subject = models.CharField(max_length=64)
    recipient = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    request = models.JSONField()  # signed by the recipient
    request_hash = models.CharField(max_length=64, unique=True)
    signed = models.JSONField(null=True)  # by the giver
    box = models.BinaryField(default=b"")
    box_bytes = models.PositiveBigIntegerField(default=0)
    receipt = models.JSONField(null=True)  # by the centre
    verdict = models.JSONField(null=True)  # signed by the recipient
    accepted = models.BooleanField(null=True)
    asked_at = models.DateTimeField(default=timezone.now)
    given_at = models.DateTimeField(null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["recipient", "subject"])]

    def __str__(self) -> str:
        return f"{self.giver} → {self.recipient}"
