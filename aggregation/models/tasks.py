"""What the banks agreed to learn together, and each time they do."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Task(models.Model):
    """A long-lived agreement: purpose, model, protocol, schedule. Its members: its rosters.

    ``model`` and ``recipe`` are the banks' business: JSON without floats that goes into every
    manifest as it is. ``first_step`` (``spec.Step`` on the wire) is the sum that a run begins with;
    the banks ask for each further one, within ``most_rounds`` sums before the candidate and
    ``most_values`` in one. ``metric_values`` counts the score histograms of an accepted candidate.
    """

    class Protocol(models.TextChoices):
        PAILLIER_THRESHOLD = "paillier-threshold", _("threshold Paillier")
        SECAGG = "secagg", _("masked sums (secagg)")
        PAILLIER_PHE = "paillier-phe", _("one shared Paillier key (laboratory)")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    name_ja = models.CharField(_("name in Japanese"), max_length=120, blank=True)
    purpose = models.CharField(_("purpose"), max_length=60, default="fraud-detection")
    protocol = models.CharField(
        _("protocol"), max_length=20, choices=Protocol, default=Protocol.PAILLIER_THRESHOLD
    )
    model = models.JSONField(default=dict)
    recipe = models.JSONField(default=dict)
    first_step = models.JSONField()
    metric_values = models.PositiveIntegerField(default=1024)
    clip = models.CharField(max_length=20, default="0.25")
    weight_cap = models.CharField(max_length=20, default="100000")
    most_rounds = models.PositiveSmallIntegerField(_("most sums in a run"), default=50)
    most_values = models.PositiveIntegerField(_("most values in a sum"), default=2_000_000)
    round_seconds = models.PositiveIntegerField(_("seconds to contribute"), default=3600)
    vote_seconds = models.PositiveIntegerField(_("seconds to vote"), default=24 * 3600)
    lease_seconds = models.PositiveIntegerField(_("seconds before the next custodian"), default=60)

    cron = models.CharField(_("schedule (cron)"), max_length=60, default="0 3 * * *")
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    enabled = models.BooleanField(_("run on schedule"), default=False)
    next_run_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(next_run_at__isnull=False),
                name="scheduled_task_has_next_run",
            ),
            models.CheckConstraint(
                condition=Q(
                    metric_values__gte=1,
                    most_rounds__gte=1,
                    most_values__gte=1,
                    round_seconds__gte=1,
                    vote_seconds__gte=1,
                    lease_seconds__gte=1,
                ),
                name="task_sizes_positive",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["enabled", "next_run_at"])]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        """The name in the reader's language."""
        japanese = (get_language() or "").startswith("ja")
        return self.name_ja if self.name_ja and japanese else self.name


class TrainingRun(models.Model):
    """A series of rounds, as its banks ask for them; then, for an accepted candidate, metrics."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Trigger(models.TextChoices):
        PERSON = "person", _("a person")
        SCHEDULE = "schedule", _("the schedule")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    trigger = models.CharField(max_length=10, choices=Trigger)
    roster = models.ForeignKey("RosterVersion", on_delete=models.PROTECT, related_name="runs")
    epoch = models.ForeignKey("KeyEpoch", on_delete=models.PROTECT, related_name="runs")
    seed = models.CharField(max_length=64)
    window = models.CharField(max_length=100)  # the data that its first sum is about
    estimate = models.JSONField(default=dict)  # what it was expected to take when it began
    reason = models.TextField(blank=True)  # why it failed: an English message id
    reason_params = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "number"], name="run_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(state="running"), name="one_run_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="run_finished_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(reason=""), name="failed_run_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} #{self.number}"
