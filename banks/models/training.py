"""What a bank learns: runs, model versions, evaluations, thresholds, its own settings."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import User

from .base import OwnedByBank


class TrainingRun(OwnedByBank):
    """A training this bank does: alone (Phase 0), or its part of a consortium run (Phase 1)."""

    class Phase(models.TextChoices):
        ALONE = "alone", _("alone")
        CONSORTIUM = "consortium", _("with the consortium")

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Trigger(models.TextChoices):
        PERSON = "person", _("a person")
        SCHEDULE = "schedule", _("the schedule")
        CONSORTIUM = "consortium", _("the consortium")
        DRIFT = "drift", _("drift, approved by a person")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phase = models.CharField(max_length=10, choices=Phase)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.PERSON)
    # The consortium's run on the wire, where this is the bank's part of one.
    consortium_run = models.UUIDField(null=True, blank=True)
    settings = models.JSONField(default=dict)  # windows, seed, recipe: what makes it repeatable
    step = models.CharField(max_length=60, blank=True)
    step_number = models.PositiveSmallIntegerField(default=0)
    steps_total = models.PositiveSmallIntegerField(default=0)
    progress = models.FloatField(default=0)  # 0..1 within the step
    timings = models.JSONField(default=dict)  # seconds by step
    result = models.JSONField(default=dict)
    estimate = models.JSONField(
        default=dict
    )  # what its part in a consortium run was expected to take
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.TextField(blank=True)  # an English message id; translated where it is shown
    failure_params = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "consortium_run"],
                condition=Q(consortium_run__isnull=False),
                name="one_part_in_a_consortium_run",
            ),
            models.UniqueConstraint(
                fields=["bank"],
                condition=Q(phase="alone", status__in=["queued", "running"]),
                name="one_training_alone_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_phase_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}


class ModelVersion(OwnedByBank):
    """A model this bank can score with. ``artifact`` is our own format, never a pickle."""

    class Origin(models.TextChoices):
        ALONE = "alone", _("alone")
        CONSORTIUM = "consortium", _("consortium")
        ENSEMBLE = "ensemble", _("ensemble")

    class Status(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        ACCEPTED = "accepted", _("accepted")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")
        REJECTED = "rejected", _("rejected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin)
    family = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status, default=Status.CANDIDATE)
    artifact = models.BinaryField()
    artifact_sha256 = models.CharField(max_length=64)
    parameters = models.PositiveIntegerField(default=0)
    trained_from = models.DateTimeField(null=True)
    trained_until = models.DateTimeField(null=True)
    lineage = models.JSONField(default=dict)  # run, rounds, receipts, seeds, parts of an ensemble
    feature_plan = models.JSONField(default=dict)  # how its features are built
    # What the membership-inference test found before the version was offered.
    leakage = models.JSONField(default=dict)
    # This bank's typical value of each feature, for the reasons; never part of the artifact.
    typical = ArrayField(models.FloatField(null=True), default=list)
    run = models.ForeignKey(
        TrainingRun, on_delete=models.PROTECT, null=True, related_name="versions"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["bank", "run", "origin"], name="one_version_per_run"),
        ]

    def __str__(self) -> str:
        return f"v{self.number} ({self.get_origin_display()})"


class Evaluation(OwnedByBank):
    """How a version did on one window of this bank: counts, from which every ratio follows.

    Histograms have one bin per cell of ``banks.ml.evaluation.ScoreGrid``.
    """

    class Window(models.TextChoices):
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="evaluations")
    window = models.CharField(max_length=10, choices=Window)
    window_from = models.DateTimeField()
    window_until = models.DateTimeField()
    label_delay_days = models.PositiveSmallIntegerField()
    fraud = ArrayField(models.BigIntegerField())
    genuine = ArrayField(models.BigIntegerField())
    fraud_amount = ArrayField(models.BigIntegerField(), default=list)  # minor units per bin
    # Sums of squared amounts per bin: how sure a share of the value is.
    fraud_amount_squared = ArrayField(models.FloatField(), default=list)
    # By day, among the k most suspicious accounts: listed, hits, to find (``banks.ml.daily``).
    daily = models.JSONField(default=dict)
    immature = models.PositiveIntegerField(default=0)  # rows left out: label not yet known
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "window", "window_from", "window_until"],
                name="one_evaluation_per_window",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.window}"


class Comparison(OwnedByBank):
    """Two versions on the same transactions of one test window, at the same number of alerts.

    ``caught_*`` count frauds by which of the two alerted on them and ``value_*`` sum their amounts
    in minor units; differences (version − baseline) have paired 95 % bootstrap intervals over
    accounts.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="comparisons")
    baseline = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    window_from = models.DateTimeField()
    window_until = models.DateTimeField()
    alerts = models.PositiveIntegerField()
    caught_by_both = models.PositiveIntegerField()
    caught_by_version = models.PositiveIntegerField()
    caught_by_baseline = models.PositiveIntegerField()
    caught_by_neither = models.PositiveIntegerField()
    value_by_version = models.BigIntegerField(default=0)
    value_by_baseline = models.BigIntegerField(default=0)
    # More frauds caught by the version, with its interval.
    gained_low = models.IntegerField(null=True)
    gained_high = models.IntegerField(null=True)
    difference = models.FloatField(null=True)
    difference_low = models.FloatField(null=True)
    difference_high = models.FloatField(null=True)
    draws = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "baseline", "window_from", "window_until"],
                name="one_comparison_per_window",
            )
        ]

    class Verdict(models.TextChoices):
        BETTER = "better", _("likely better")
        UNCLEAR = "unclear", _("no clear difference")
        WORSE = "worse", _("likely worse")
        UNKNOWN = "unknown", _("nothing can be said")

    @property
    def verdict(self) -> str:
        """In one word, from the interval of the difference in average precision."""
        if self.difference_low is None or self.difference_high is None:
            return self.Verdict.UNKNOWN
        if self.difference_low > 0:
            return self.Verdict.BETTER
        return self.Verdict.WORSE if self.difference_high < 0 else self.Verdict.UNCLEAR

    @property
    def gained(self) -> int:
        """Frauds that the version catches beyond the baseline at equal alerts; below 0 a loss."""
        return self.caught_by_version - self.caught_by_baseline

    @property
    def value_gained(self) -> int:
        """The same in minor units."""
        return self.value_by_version - self.value_by_baseline

    def __str__(self) -> str:
        return f"{self.version} ↔ {self.baseline}"


class EvaluationSegment(OwnedByBank):
    """The same counts for a part of an evaluation's window: a channel, a band of amounts (``name``
    is the number of digits), or the frauds of one typology among all genuine transactions."""

    class Kind(models.TextChoices):
        CHANNEL = "channel", _("channel")
        AMOUNT = "amount", _("amount")
        TYPOLOGY = "typology", _("kind of fraud")

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="segments")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=24)
    fraud = ArrayField(models.BigIntegerField())
    genuine = ArrayField(models.BigIntegerField())
    fraud_amount = ArrayField(models.BigIntegerField())

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["evaluation", "kind", "name"], name="segment_once_in_an_evaluation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Threshold(OwnedByBank):
    """A version's alert threshold on the score, with who set it and why. The newest one counts."""

    class Method(models.TextChoices):
        BEST_F1 = "best_f1", _("best F1 on validation")
        CAPACITY = "capacity", _("as many alerts as the bank can review")
        PERSON = "person", _("set by a person")
        APPROVED = "approved", _("proposed and approved")
        ROLLED_BACK = "rolled_back", _("rolled back")

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="thresholds")
    value = models.FloatField()  # probability of fraud, 0..1
    method = models.CharField(max_length=30, choices=Method)
    reason = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(value__gte=0, value__lte=1), name="threshold_is_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.value:.3f}"


class BankSettings(OwnedByBank):
    """What this bank decided for itself."""

    scoring_version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # What scored before; one step back is one click.
    previous_version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # A challenger: it scores along in silence, and people see where the two part ways.
    shadow_version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    shadow_since = models.DateTimeField(null=True)
    zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    label_delay_days = models.PositiveSmallIntegerField(_("label delay in days"), default=7)
    reviewers = models.PositiveIntegerField(_("people who review"), default=4)
    minutes_a_day = models.PositiveIntegerField(
        _("minutes a day that each has for alerts"), default=120
    )
    minutes_a_review = models.FloatField(_("minutes a review"), default=4)
    reviews_a_day = models.PositiveIntegerField(_("reviews a day"), default=120)  # from those three
    sla_hours = models.FloatField(_("hours until an alert is overdue"), default=24)
    facts_first = models.BooleanField(_("facts before the assessment"), default=True)
    blind_share = models.FloatField(_("share of alerts served without score"), default=0.04)
    sample_share = models.FloatField(
        _("share of payments below the threshold to look at"), default=0.0005
    )
    recoverable_share = models.FloatField(_("recoverable share of an amount"), default=0.5)
    review_cost = models.PositiveIntegerField(_("cost of a review"), default=1500)  # minor units
    training_cron = models.CharField(_("training schedule"), max_length=60, default="30 2 * * *")
    training_enabled = models.BooleanField(_("train alone on schedule"), default=False)
    next_training_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank"], name="one_settings_row_per_bank")
        ]

    def __str__(self) -> str:
        return str(self.bank_id)
