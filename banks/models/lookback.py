"""What was added up of the past, so that scoring one payment need not read it all again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from .base import OwnedByBank


class Carry(OwnedByBank):
    """One carrying forward of a bank's past: of all payments before ``until``.

    ``clock`` says by which choices of a feature plan it was added up (``clock_of``). It is used
    once ``completed_at`` is set; until then changes to the past are noted on it already.
    """

    clock = models.CharField(max_length=200)
    until = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["bank", "clock", "-until"])]

    def __str__(self) -> str:
        return f"until {self.until:%Y-%m-%d}"


class CarriedPast(OwnedByBank):
    """One account's or counterparty's part of it; without ``content`` once its past has changed."""

    class Side(models.TextChoices):
        ACCOUNT = "a"
        COUNTERPARTY = "c"

    bank = models.ForeignKey(
        "accounts.Bank", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    carry = models.ForeignKey(Carry, on_delete=models.CASCADE, related_name="+", db_index=False)
    side = models.CharField(max_length=1, choices=Side)
    name = models.CharField(max_length=80)
    content = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["carry", "side", "name"], name="carried_once")
        ]

    def __str__(self) -> str:
        return f"{self.side}:{self.name}"
