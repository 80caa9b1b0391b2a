"""The rows behind an evaluation's counts, kept so that each of them can be opened."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .base import OwnedByBank
from .training import Evaluation


class EvaluatedRows(OwnedByBank):
    """Which transactions an evaluation counted, with their scores and labels of that moment.

    Each field is one array of ``banks.ml.scored.ScoredRows``: a hundred thousand rows of a table
    would say the same in thirty times the space.
    """

    evaluation = models.OneToOneField(
        Evaluation, on_delete=models.CASCADE, related_name="evaluated_rows"
    )
    keys = models.BinaryField()
    logits = models.BinaryField()
    labels = models.BinaryField()
    amounts = models.BinaryField()
    times = models.BinaryField()
    channels = models.BinaryField()
    channel_names = ArrayField(models.CharField(max_length=20, blank=True), default=list)
    tally = models.JSONField(default=dict)  # banks.ml.tallies.Tally, for pages of counts

    class Meta:
        verbose_name_plural: ClassVar = "evaluated rows"

    def __str__(self) -> str:
        return f"rows of {self.evaluation_id}"
