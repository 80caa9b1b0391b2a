"""The transparency log: append-only, hash-chained, its heads cosigned by the banks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from consortium.accounts.models import Bank


class LogEntry(models.Model):
    """An entry in its wire form (``consortium.protocol.receipts.LogEntry``)."""

    index = models.PositiveBigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=40, db_index=True)
    body = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["index"]

    def __str__(self) -> str:
        return f"{self.index} {self.event}"


class LogHead(models.Model):
    """The signed state of the log after ``size`` entries."""

    size = models.PositiveBigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    signed = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-size"]

    def __str__(self) -> str:
        return str(self.size)


class HeadCosignature(models.Model):
    """A bank's word that this head continues every head it saw."""

    head = models.ForeignKey(LogHead, on_delete=models.PROTECT, related_name="cosignatures")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["head", "bank"], name="one_cosignature_per_head")
        ]

    def __str__(self) -> str:
        return f"{self.head}: {self.bank}"
