"""What members say about the terms of a task, before anything is summed under them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from consortium.accounts.models import Bank

from .tasks import Task


class TermsVote(models.Model):
    """A bank's signed word on a task's terms; a later word takes the place of an earlier one."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="terms_votes")
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="+")
    terms = models.CharField(max_length=64)
    accept = models.BooleanField()
    signed = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "bank"], name="one_word_on_terms")
        ]

    def __str__(self) -> str:
        return f"{self.task}: {self.bank}"
