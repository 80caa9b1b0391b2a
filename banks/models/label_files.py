"""Files of labels that came back: chargebacks and corrections."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from consortium.accounts.models import User

from .base import OwnedByBank
from .data import ImportStatus


class LabelFile(OwnedByBank):
    """One file of labels: what was read, what was refused and why; all of it counts, or nothing."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file_name = models.CharField(max_length=200)
    file_path = models.CharField(max_length=400, blank=True)
    file_sha256 = models.CharField(max_length=64)
    good_rows_only = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.WAITING)
    rows_read = models.BigIntegerField(default=0)
    rows_said = models.BigIntegerField(default=0)
    rows_already_said = models.BigIntegerField(default=0)
    rows_changed = models.BigIntegerField(default=0)  # of the said, those that changed a label
    rows_refused = models.BigIntegerField(default=0)
    first_errors = models.JSONField(default=list)
    errors_path = models.CharField(max_length=400, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.TextField(blank=True)
    failure_params = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "file_sha256"],
                condition=Q(status="done"),
                name="same_label_file_once",
            )
        ]

    def __str__(self) -> str:
        return self.file_name
