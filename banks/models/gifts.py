"""What this bank asked its fellow members for as a newcomer, and what it gave to newcomers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .base import OwnedByBank
from .training import ModelVersion


class Gift(OwnedByBank):
    """One request to one peer, seen from either side.

    ``content`` are the bytes of a model that was received and checked, until it is a version.
    """

    class Direction(models.TextChoices):
        RECEIVED = "received", _("to this bank")
        GIVEN = "given", _("from this bank")

    class Kind(models.TextChoices):
        MODEL = "model", _("published model")
        SIGNAL = "signal", _("opened sums of the signal")

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        RECEIVED = "received", _("received and checked, not yet a version")
        INSTALLED = "installed", _("in place")
        OVERTAKEN = "overtaken", _("overtaken by a newer version")
        SILENT = "silent", _("no answer")
        REFUSED = "refused", _("refused")
        GIVEN = "given", _("given")

    direction = models.CharField(max_length=8, choices=Direction)
    kind = models.CharField(max_length=6, choices=Kind)
    state = models.CharField(max_length=9, choices=State)
    task = models.UUIDField()
    run = models.UUIDField()
    subject = models.CharField(max_length=64)  # SHA-256 that the members signed
    peer = models.UUIDField()
    peer_name = models.CharField(max_length=200)
    attempt = models.PositiveSmallIntegerField(default=1)
    request = models.JSONField()  # signed by the newcomer
    request_hash = models.CharField(max_length=64)
    offer = models.JSONField(null=True)  # what the members signed, as it was checked
    signed = models.JSONField(null=True)  # by the peer
    receipt = models.JSONField(null=True)  # by the centre, to the peer
    content = models.BinaryField(default=b"")
    size = models.PositiveBigIntegerField(default=0)
    fault = models.JSONField(default=dict)  # code, sentence (an English message id), params
    version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    tried_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "direction", "request_hash"], name="one_row_for_a_gift_request"
            ),
            models.UniqueConstraint(
                fields=["bank", "subject"],
                condition=models.Q(
                    direction="received", state__in=["asked", "received", "installed"]
                ),
                name="one_gift_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject[:8]}: {self.state}"
