"""The cross-bank signal at a bank: what it agreed to, what it sent, what it was told."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.accounts.models import User

from .base import OwnedByBank


class SignalConsent(OwnedByBank):
    """This bank's word on the terms of a task's signal; its node takes part under no others."""

    task = models.UUIDField()
    terms = models.JSONField()
    terms_hash = models.CharField(max_length=64)
    accepted = models.BooleanField()
    signed = models.JSONField()  # the vote as the other members see it
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    said_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-said_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "task", "terms_hash"], name="one_word_on_signal_terms"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task}: {self.terms_hash[:8]}"


class SignalPart(OwnedByBank):
    """What this bank was ready to send about a window, written before it leaves.

    A window whose sum was frozen with these members is never sent again with others: the
    difference of the two sums would be one bank's counts.
    """

    task = models.UUIDField()
    run = models.UUIDField()
    round = models.UUIDField()
    first_day = models.DateField()
    end_day = models.DateField()  # the first day that is not in it
    members = models.JSONField()
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-sent_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "round"], name="one_signal_part_in_a_round"),
            models.CheckConstraint(
                condition=Q(first_day__lt=F("end_day")), name="signal_part_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day}/{self.end_day}"


class SignalOpening(OwnedByBank):
    """Sums that were opened over several banks; never changed, never opened again."""

    class Source(models.TextChoices):
        OPENED = "opened", _("opened by this bank")
        PEER = "peer", _("given by a member, as the others signed it")

    task = models.UUIDField()
    run = models.UUIDField()
    round = models.UUIDField()
    first_day = models.DateField()
    end_day = models.DateField()
    terms = models.JSONField()
    terms_hash = models.CharField(max_length=64)
    token_key = models.CharField(max_length=64)  # which key the counterparties are hidden under
    banks = models.PositiveSmallIntegerField()  # how many are in the sums
    counterparties = models.PositiveIntegerField()  # open ones, stretch by stretch
    cells = models.PositiveIntegerField()  # of them, those that are not all zero
    content = models.BinaryField()
    content_sha256 = models.CharField(max_length=64)
    source = models.CharField(max_length=6, choices=Source, default=Source.OPENED)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-end_day"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "task", "first_day"], name="signal_day_opened_once"
            ),
            models.CheckConstraint(
                condition=Q(first_day__lt=F("end_day")), name="signal_opening_has_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day}/{self.end_day}"

    @property
    def last_day(self) -> datetime.date:
        """The newest day that is in the sums."""
        return self.end_day - datetime.timedelta(days=1)


class SignalPrice(OwnedByBank):
    """What each step of the policy is worth on this bank's own validation window."""

    measured_at = models.DateTimeField(default=timezone.now)
    openings = models.PositiveIntegerField()  # how many there were to measure with
    window_from = models.DateTimeField()
    window_until = models.DateTimeField()
    rows = models.PositiveIntegerField()
    frauds = models.PositiveIntegerField()
    steps = models.JSONField()  # by policy: average precision, difference to the own view, interval

    class Meta:
        ordering: ClassVar = ["-measured_at"]

    def __str__(self) -> str:
        return f"{self.measured_at:%Y-%m-%d}"
