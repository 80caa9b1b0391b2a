"""First stages that this bank has derived: what its features of unexplained frauds come from."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from .base import OwnedByBank


class KeptFirstStage(OwnedByBank):
    """One of them, found by the hash that versions, runs and the signal's terms name."""

    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-made_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "sha256"], name="one_first_stage_by_hash")
        ]

    def __str__(self) -> str:
        return self.sha256[:8]
