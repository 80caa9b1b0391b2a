"""How a threshold changes: one person proposes, another approves, then it takes effect."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consortium.accounts.models import User

from .base import OwnedByBank
from .training import ModelVersion, Threshold


class ThresholdChange(OwnedByBank):
    """A proposed threshold on its way. Nobody approves their own, whoever they are."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("waiting for approval")
        SCHEDULED = "scheduled", _("approved, scheduled")
        IN_FORCE = "in_force", _("put in force")
        RETURNED = "returned", pgettext_lazy("threshold change", "returned")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Aim(models.TextChoices):
        PERSON = "person", _("chosen by eye")
        PRECISION = "precision", _("target precision")
        RECALL = "recall", _("target recall")
        REVIEWS = "reviews", _("reviews a day")
        VALUE = "value", _("highest expected value")
        F1 = "f1", _("highest F1")

    OPEN: ClassVar = (Status.PROPOSED, Status.SCHEDULED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="threshold_changes"
    )
    value = models.FloatField()  # probability of fraud, 0..1
    before = models.FloatField()  # in force when it was proposed
    aim = models.CharField(max_length=10, choices=Aim, default=Aim.PERSON)
    target = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    effect = models.JSONField(default=dict)  # what the proposer saw: counts before and after
    status = models.CharField(max_length=10, choices=Status, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)  # the second person's word
    effective_from = models.DateTimeField(null=True, blank=True)  # empty: as soon as approved
    threshold = models.OneToOneField(
        Threshold, on_delete=models.SET_NULL, null=True, related_name="change"
    )

    class Meta:
        ordering: ClassVar = ["-proposed_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(value__gt=0, value__lte=1), name="changed_threshold_is_a_probability"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["scheduled", "in_force"])
                | (
                    Q(proposed_by__isnull=True)
                    | Q(decided_by__isnull=True)
                    | ~Q(proposed_by=F("decided_by"))
                ),
                name="nobody_approves_their_own_threshold",
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(status__in=["proposed", "scheduled"]),
                name="one_open_threshold_change_a_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.before:.4f} → {self.value:.4f} ({self.status})"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN
