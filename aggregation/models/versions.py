"""What came out of a run: a model the centre knows by its hash only, and the banks' verdicts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import Bank

from .tasks import Task, TrainingRun


class ModelVersion(models.Model):
    """A model by its SHA-256: candidate → accepted → published → retired, or rejected."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        ACCEPTED = "accepted", _("accepted")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")
        REJECTED = "rejected", _("rejected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="versions")
    run = models.OneToOneField(TrainingRun, on_delete=models.PROTECT, related_name="version")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    vote_until = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "number"], name="model_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(state="published"), name="one_published_model"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} v{self.number}"


class Vote(models.Model):
    """One bank's verdict on a candidate. ``reason`` is a sentence, never a count."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="votes")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    accept = models.BooleanField()
    reason = models.TextField(blank=True)
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "bank"], name="one_vote_per_bank")
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.bank}"
