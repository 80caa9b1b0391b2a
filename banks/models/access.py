"""Who looked at a customer's data."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .base import OwnedByBank


class AccessEntry(OwnedByBank):
    """One look at something that shows a customer's payments, written in the same transaction.

    ``target`` holds an id, never a value. What left as a file stands in the audit trail.
    """

    class What(models.TextChoices):
        ALERT = "alert", _("an alert")
        TRANSACTION = "transaction", _("a payment")
        SEARCH = "search", _("a search of payments")
        ROWS = "rows", _("payments behind a figure")
        FILE = "file", _("rows of a file")

    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    actor = models.CharField(max_length=160)
    what = models.CharField(max_length=12, choices=What)
    target = models.CharField(max_length=80, blank=True)
    by_program = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["bank", "-at"])]

    def __str__(self) -> str:
        return f"{self.actor}: {self.what} {self.target}"
