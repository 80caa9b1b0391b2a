"""What a bank brings: files, the mapping to the canonical transaction, transactions, labels."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import Bank, User

from .base import OwnedByBank


class SourceMapping(OwnedByBank):
    """How one source's columns become a canonical transaction; saved and reused."""

    name = models.CharField(_("name"), max_length=80)
    mapping = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "name"], name="mapping_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class ImportStatus(models.TextChoices):
    WAITING = "waiting", _("waiting")
    CHECKING = "checking", _("checking rows")
    REFUSED = "refused", _("refused")
    DONE = "done", _("imported")
    FAILED = "failed", _("failed")


class Import(OwnedByBank):
    """One file a bank brought: what was read, what was refused and why."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=200)
    file_path = models.CharField(max_length=400, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.BigIntegerField(default=0)
    encoding = models.CharField(max_length=20, blank=True)
    mapping = models.JSONField(default=dict)
    good_rows_only = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.WAITING)
    rows_read = models.BigIntegerField(default=0)
    rows_imported = models.BigIntegerField(default=0)
    rows_already_there = models.BigIntegerField(default=0)
    rows_refused = models.BigIntegerField(default=0)
    first_errors = models.JSONField(default=list)
    errors_path = models.CharField(max_length=400, blank=True)
    warnings = models.JSONField(default=list)
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.TextField(blank=True)
    failure_params = models.JSONField(default=dict)
    progress = models.FloatField(default=0.0)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)  # its unlabelled rows have been scored

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "file_sha256"],
                condition=Q(status="done"),
                name="same_file_imported_once",
            )
        ]

    def __str__(self) -> str:
        return self.file_name


class Label(models.IntegerChoices):
    GENUINE = 0, _("genuine")
    FRAUD = 1, _("fraud")


class Transaction(OwnedByBank):
    """A canonical transaction. ``amount`` is in minor units (cents; whole yen)."""

    # No index on these two alone: the ones below begin with the bank, and a million imported rows
    # would pay for both.
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.ForeignKey(
        Import, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # Names are compared byte by byte, so that their beginnings are found by index on any server.
    external_id = models.CharField(_("transaction id"), max_length=80, db_collation="C")
    time = models.DateTimeField(_("time"))
    account = models.CharField(_("account"), max_length=80, blank=True, db_collation="C")
    counterparty = models.CharField(_("counterparty"), max_length=80, blank=True, db_collation="C")
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3, default="JPY")
    channel = models.CharField(_("channel"), max_length=20, blank=True)
    label = models.SmallIntegerField(_("label"), choices=Label, null=True)
    label_known_at = models.DateTimeField(null=True)
    extra = ArrayField(models.FloatField(), null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "external_id"], name="transaction_once"),
            models.CheckConstraint(
                condition=Q(label__isnull=True) | Q(label__in=[0, 1]), name="label_is_known_word"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bank", "time"]),
            models.Index(fields=["bank", "account", "time"]),
            models.Index(fields=["bank", "counterparty", "time"]),
            # What people search for and few rows have, newest first.
            models.Index(fields=["bank", "amount"]),
            models.Index(
                fields=["bank", "-time", "-id"], condition=Q(label=1), name="known_frauds"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class LabelEvent(OwnedByBank):
    """A label's history after import: who said what, when it became known, and why."""

    class Source(models.TextChoices):
        ALERT = "alert", _("decision on an alert")
        ANALYST = "analyst", _("marked by an analyst")
        CHARGEBACK = "chargeback", _("chargeback")
        SAMPLE = "sample", _("random sample")
        CORRECTION = "correction", _("correction")

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="labels")
    value = models.SmallIntegerField(choices=Label, null=True)
    source = models.CharField(max_length=10, choices=Source)
    reason = models.CharField(max_length=200, blank=True)
    known_at = models.DateTimeField(default=timezone.now)
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    file = models.ForeignKey(
        "banks.LabelFile", on_delete=models.PROTECT, null=True, related_name="words"
    )
    # The training run that first learned from it; empty while it waits for the next one.
    learned_by = models.ForeignKey(
        "banks.TrainingRun", on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["-known_at"]

    def __str__(self) -> str:
        return f"{self.transaction_id}: {self.get_value_display()}"
