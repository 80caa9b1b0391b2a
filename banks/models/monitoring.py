"""What a bank keeps to see drift: counts of what its model was chosen on, and of each day since."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consortium.accounts.models import User

from .base import OwnedByBank
from .training import ModelVersion, TrainingRun


class MonitorReference(OwnedByBank):
    """What a version saw on its validation window: tuned there, it did not learn from it.

    ``counts`` has bins by feature on ``edges`` (``banks.ml.drift.counted``); ``scores`` bins of
    ``banks.ml.evaluation.GRID``; ``blanks`` empty values by column; ``volumes`` payments by day;
    ``lags`` as in ``MonitorDay``, of ``lag_payments`` payments. ``problem`` says why it has none.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="+")
    window_from = models.DateTimeField(null=True)
    window_until = models.DateTimeField(null=True)
    payments = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)  # of them, drawn for features and score
    edges = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    scores = ArrayField(models.BigIntegerField(), default=list)
    channels = models.JSONField(default=dict)
    blanks = models.JSONField(default=dict)
    volumes = ArrayField(models.BigIntegerField(), default=list)
    lags = ArrayField(models.BigIntegerField(), default=list)
    lag_payments = models.BigIntegerField(default=0)
    seen_until = models.DateTimeField(null=True)  # the latest moment that the bank's data know of
    problem = models.CharField(max_length=60, blank=True)
    problem_sentence = models.TextField(blank=True)  # an English message id
    problem_params = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    # When the days were last looked through; empty while that is under way for the first time.
    checked_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"reference of {self.version_id}"


class MonitorDay(OwnedByBank):
    """One day of payments, on the bank's clock, in the bins of a reference.

    ``lags`` counts labels by whole days from payment to known, up to ``banks.ml.arrival.LONGEST``;
    ``labelled`` all labels, ``untimed`` those of which nobody wrote when they became known.
    """

    reference = models.ForeignKey(MonitorReference, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    payments = models.PositiveIntegerField()
    rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    scores = ArrayField(models.BigIntegerField(), default=list)
    channels = models.JSONField(default=dict)
    blanks = models.JSONField(default=dict)
    lags = ArrayField(models.BigIntegerField(), default=list)
    labelled = models.PositiveIntegerField(default=0)
    untimed = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reference", "day"], name="day_counted_once")
        ]

    def __str__(self) -> str:
        return f"{self.day}"


class RetrainingProposal(OwnedByBank):
    """Drift beyond its band asks for another training; a person says yes or no.

    ``reasons`` names what drifted with its figures of that moment.
    """

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("retraining", "waits for a person")
        APPROVED = "approved", pgettext_lazy("retraining", "approved")
        DECLINED = "declined", pgettext_lazy("retraining", "declined")
        OVERTAKEN = "overtaken", pgettext_lazy("retraining", "overtaken: another model scores")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    reasons = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    run = models.ForeignKey(TrainingRun, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank"], condition=Q(status="open"), name="one_open_retraining_proposal"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "declined"]) | Q(decided_at__isnull=False),
                name="a_retraining_is_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"retraining of {self.version_id}: {self.status}"
